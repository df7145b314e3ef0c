namespace Skep.Manager.Scheduling;

/// <summary>A part of the fleet that hands out its best node: either nodes by score, or branches by how many tasks they have.</summary>
internal abstract class Branch
{
    /// <summary>Active tasks of the service on all nodes of the branch.</summary>
    public int Tasks { get; set; }

    /// <summary>Takes out the node that is to get the next task; -1 when no node has room.</summary>
    public abstract int Take();

    /// <summary>Gives back the node just taken, which got a task.</summary>
    /// <param name="score">Its new score.</param>
    /// <param name="hasRoom">Whether another such task would fit.</param>
    public abstract void Return(ulong score, bool hasRoom);

    /// <summary>Called once when everything was added.</summary>
    public abstract void Seal();
}

/// <summary>Nodes, the one with the least score first.</summary>
internal sealed class NodeBranch(int capacity) : Branch
{
    private readonly List<(int Number, ulong Score)> added = new(capacity);
    private PriorityQueue<int, ulong> heap = new();
    private int taken;

    /// <summary>Adds a node with room.</summary>
    public void Add(int number, ulong score) => added.Add((number, score));

    /// <inheritdoc/>
    public override void Seal() => heap = new(added);

    /// <inheritdoc/>
    public override int Take() => taken = heap.TryDequeue(out int number, out _) ? number : -1;

    /// <inheritdoc/>
    public override void Return(ulong score, bool hasRoom)
    {
        Tasks++;
        if (hasRoom)
        {
            heap.Enqueue(taken, score);
        }
    }
}

/// <summary>Branches by the value of a node property, the one with fewest tasks first; of equals the one that came first.</summary>
internal sealed class SpreadBranch : Branch
{
    private readonly Dictionary<string, Branch> children = new(StringComparer.Ordinal);
    private readonly Dictionary<Branch, int> order = new(ReferenceEqualityComparer.Instance);
    private PriorityQueue<Branch, (int Tasks, int Order)> heap = new();
    private Branch? taken;

    /// <summary>The branch of a value.</summary>
    public T Child<T>(string value, Func<T> create)
        where T : Branch
    {
        if (!children.TryGetValue(value, out Branch? child))
        {
            children[value] = child = create();
            order[child] = order.Count;
        }
        return (T)child;
    }

    /// <inheritdoc/>
    public override void Seal()
    {
        foreach (Branch child in children.Values)
        {
            child.Seal();
        }
        heap = new(children.Values.Select(c => (c, (c.Tasks, order[c]))));
    }

    /// <inheritdoc/>
    public override int Take()
    {
        // A branch without room is left out from here on.
        while (heap.TryDequeue(out taken, out _))
        {
            int number = taken.Take();
            if (number >= 0)
            {
                return number;
            }
        }
        return -1;
    }

    /// <inheritdoc/>
    public override void Return(ulong score, bool hasRoom)
    {
        taken!.Return(score, hasRoom);
        Tasks++;
        heap.Enqueue(taken, (taken.Tasks, order[taken]));
    }
}
