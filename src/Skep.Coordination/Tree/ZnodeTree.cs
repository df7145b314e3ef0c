using System.Text;
using Skep.Coordination.Access;
using Skep.Jute;

namespace Skep.Coordination.Tree;

/// <summary>
/// The znodes, and the sessions that own some of them. Pure: what changes it comes with its zxid and its time, and the same requests
/// in the same order give the same tree everywhere. One thread at a time.
/// </summary>
internal sealed partial class ZnodeTree
{
    internal const int Root = 1;
    private static readonly Acl[] Open = [new(31, new AclId("world", "anyone"))];
    private static readonly Acl[] ReadOnly = [new((int)Permissions.Read, new AclId("world", "anyone"))];

    private readonly NodePages _nodes = new();
    private readonly ChildIndex _index;
    private readonly AclTable _acls = new();
    private readonly Dictionary<long, Session> _sessions = [];
    private readonly HashSet<int> _passing = [];
    private readonly List<Change> _changes = [];
    private Stack<Action>? _undo;

    private ZnodeTree() => _index = new ChildIndex(_nodes);

    /// <summary>Znodes there are, the root among them.</summary>
    public int Count { get; private set; }

    /// <summary>Bytes of all names and data.</summary>
    public long SizeBytes { get; private set; }

    /// <summary>The zxid of the last request applied.</summary>
    public long LastZxid { get; private set; }

    /// <summary>What the last request changed, in the order in which watchers are told.</summary>
    public IReadOnlyList<Change> Changes => _changes;

    /// <summary>A tree with nothing but what is always there: <c>/zookeeper</c>, its <c>quota</c> and its <c>config</c>.</summary>
    public static ZnodeTree New()
    {
        var tree = new ZnodeTree();
        int root = tree._nodes.Allocate();
        ref Node node = ref tree._nodes.Write(root);
        node.SetBlob([], ReadOnlyMemory<byte>.Empty);
        node.AclId = tree._acls.Add(Open);
        tree.Count = 1;
        int own = tree.Insert(root, "zookeeper", ReadOnlyMemory<byte>.Empty, Open, 0, 0, 0);
        tree.Insert(own, "quota", ReadOnlyMemory<byte>.Empty, Open, 0, 0, 0);
        tree.Insert(own, "config", ReadOnlyMemory<byte>.Empty, ReadOnly, 0, 0, 0);
        foreach (int parent in new[] { root, own })
        {
            tree._nodes.Write(parent).Creations = 0;
        }
        return tree;
    }

    /// <summary>The number of a path's node; 0 where there is none. The empty path names the root too.</summary>
    private int Find(string path)
    {
        if (path.Length <= 1)
        {
            return path is "" or "/" ? Root : 0;
        }
        if (path[0] != '/' || path[^1] == '/')
        {
            return 0;
        }
        int most = Encoding.UTF8.GetMaxByteCount(path.Length);
        byte[]? rented = most > 512 ? System.Buffers.ArrayPool<byte>.Shared.Rent(most) : null;
        Span<byte> bytes = rented ?? stackalloc byte[512];
        ReadOnlySpan<byte> rest = bytes[..Encoding.UTF8.GetBytes(path.AsSpan(1), bytes)];
        int at = Root;
        while (at != 0 && !rest.IsEmpty)
        {
            int slash = rest.IndexOf((byte)'/');
            ReadOnlySpan<byte> name = slash < 0 ? rest : rest[..slash];
            rest = slash < 0 ? [] : rest[(slash + 1)..];
            at = name.IsEmpty ? 0 : _index.Find(at, name);
        }
        if (rented is not null)
        {
            System.Buffers.ArrayPool<byte>.Shared.Return(rented);
        }
        return at;
    }

    internal string PathOf(int id)
    {
        var names = new Stack<string>();
        for (; id != Root; id = _nodes[id].Parent)
        {
            names.Push(Encoding.UTF8.GetString(_nodes[id].Name.Span));
        }
        return "/" + string.Join('/', names);
    }

    private Stat StatOf(int id)
    {
        ref readonly Node n = ref _nodes[id];
        // Containers and times to live are not shown: for ZooKeeper's clients an owner is a session.
        return new Stat(n.Czxid, n.Mzxid, n.CtimeMs, n.MtimeMs, n.Version, unchecked((n.Creations * 2) - n.ChildCount), n.Aversion,
            n.IsEphemeral ? n.Owner : 0, n.Data?.Length ?? 0, n.ChildCount, n.Pzxid);
    }

    private int Insert(int parent, string name, ReadOnlyMemory<byte>? data, Acl[] acl, long owner, long zxid, long timeMs)
    {
        int id = _nodes.Allocate();
        ref Node node = ref _nodes.Write(id);
        node = new Node { Czxid = zxid, Mzxid = zxid, Pzxid = zxid, CtimeMs = timeMs, MtimeMs = timeMs, Owner = owner, AclId = _acls.Add(acl), Parent = parent };
        node.SetBlob(Encoding.UTF8.GetBytes(name), data);
        ref Node above = ref _nodes.Write(parent);
        above.Creations = unchecked(above.Creations + 1);
        above.Pzxid = zxid;
        Link(id);
        return id;
    }

    // Puts a node that is filled in among its parent's children, into the index, and to what it belongs to.
    private void Link(int id)
    {
        ref Node node = ref _nodes.Write(id);
        ref Node above = ref _nodes.Write(node.Parent);
        node.Next = above.FirstChild;
        node.Previous = 0;
        if (above.FirstChild != 0)
        {
            _nodes.Write(above.FirstChild).Previous = id;
        }
        above.FirstChild = id;
        above.ChildCount++;
        _index.Add(id);
        Own(id, true);
        SizeBytes += node.Blob!.Length;
        Count++;
    }

    private void Unlink(int id)
    {
        Node node = _nodes[id];
        _index.Remove(id);
        ref Node above = ref _nodes.Write(node.Parent);
        above.ChildCount--;
        if (node.Previous == 0)
        {
            above.FirstChild = node.Next;
        }
        else
        {
            _nodes.Write(node.Previous).Next = node.Next;
        }
        if (node.Next != 0)
        {
            _nodes.Write(node.Next).Previous = node.Previous;
        }
        Own(id, false);
        SizeBytes -= node.Blob!.Length;
        Count--;
        _nodes.Release(id);
    }

    private void Own(int id, bool add)
    {
        ref readonly Node node = ref _nodes[id];
        HashSet<int>? owned = node.Owner == 0 ? null : node.IsEphemeral ? _sessions.GetValueOrDefault(node.Owner)?.Ephemerals : _passing;
        if (add)
        {
            owned?.Add(id);
        }
        else
        {
            owned?.Remove(id);
        }
    }
}
