namespace Skep.Coordination.Tree;

/// <summary>
/// Nodes by number, in pages that are copied on the first write after a snapshot was taken: a snapshot costs a list of pages, and
/// writing goes on at once. Numbers of removed nodes are used again. One thread writes.
/// </summary>
internal sealed class NodePages
{
    /// <summary>Nodes in a page: small enough to stay out of the large-object heap.</summary>
    public const int PageNodes = 256;

    private readonly List<(Node[] Nodes, int Epoch)> _pages = [];
    private int _epoch;
    private int _free;
    private int _used = 1;

    /// <summary>Numbers given out so far lie below this; number 0 is no node.</summary>
    public int End => _used;

    public ref readonly Node this[int id] => ref _pages[id / PageNodes].Nodes[id % PageNodes];

    /// <summary>The node, to be written to: its page is this tree's own after the call.</summary>
    public ref Node Write(int id)
    {
        (Node[] nodes, int epoch) = _pages[id / PageNodes];
        if (epoch != _epoch)
        {
            nodes = (Node[])nodes.Clone();
            _pages[id / PageNodes] = (nodes, _epoch);
        }
        return ref nodes[id % PageNodes];
    }

    public int Allocate()
    {
        if (_free != 0)
        {
            int id = _free;
            _free = this[id].Next;
            Write(id) = default;
            return id;
        }
        Grow(_used + 1);
        return _used++;
    }

    public void Release(int id)
    {
        Write(id) = new Node { Next = _free };
        _free = id;
    }

    /// <summary>Takes the numbers as a snapshot has them; those that no node has are free.</summary>
    public void Restore(int end)
    {
        Grow(end);
        _used = end;
    }

    /// <summary>To be called when all nodes of a snapshot are in their places.</summary>
    public void CollectFree()
    {
        for (int id = _used - 1; id > 0; id--)
        {
            if (this[id].Blob is null)
            {
                Release(id);
            }
        }
    }

    /// <summary>The pages as they are now; they never change afterwards.</summary>
    public Node[][] Capture()
    {
        _epoch++;
        return [.. _pages.Select(p => p.Nodes)];
    }

    private void Grow(int end)
    {
        while (_pages.Count * PageNodes < end)
        {
            _pages.Add((new Node[PageNodes], _epoch));
        }
    }
}
