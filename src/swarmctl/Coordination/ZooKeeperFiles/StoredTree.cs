using System.Runtime.InteropServices;
using Skep.Jute;

namespace Swarmctl.Coordination.ZooKeeperFiles;

/// <summary>
/// ZooKeeper's tree as of a snapshot and the transactions after it. A snapshot is taken while writes go on, so that some of the
/// transactions are in it already: what is done is not done again, and what is not there is passed over, as ZooKeeper does.
/// </summary>
internal sealed class StoredTree
{
    private readonly Dictionary<string, StoredNode> nodes = [];
    private readonly Dictionary<long, HashSet<string>> ephemerals = [];

    /// <summary>By path; the root's is "/".</summary>
    public IReadOnlyDictionary<string, StoredNode> Nodes => nodes;

    /// <summary>Session timeouts in ms, by session.</summary>
    public Dictionary<long, int> Sessions { get; } = [];

    /// <summary>The last transaction that is in the tree.</summary>
    public long LastZxid { get; set; }

    /// <summary>The tree of a server that has never been written to.</summary>
    public static StoredTree Empty()
    {
        var tree = new StoredTree();
        foreach (string path in (string[])["/", "/zookeeper", "/zookeeper/quota", "/zookeeper/config"])
        {
            tree.Add(path, new StoredNode { Data = Array.Empty<byte>(), Acl = SnapshotReader.OpenAcl });
        }
        return tree;
    }

    public static string ParentOf(string path) => path.LastIndexOf('/') is > 0 and int slash ? path[..slash] : "/";

    /// <returns>False where the node is there already.</returns>
    public bool Add(string path, StoredNode node)
    {
        if (!nodes.TryAdd(path, node))
        {
            return false;
        }
        if (node.Kind == NodeKind.Ephemeral)
        {
            (CollectionsMarshal.GetValueRefOrAddDefault(ephemerals, node.Owner, out _) ??= []).Add(path);
        }
        return true;
    }

    /// <summary>Adds a node, or puts it in another's place.</summary>
    public void Set(string path, StoredNode node)
    {
        nodes.Remove(path);
        Add(path, node);
    }

    public void Apply(LoggedTransaction transaction)
    {
        LastZxid = transaction.Zxid;
        foreach (LoggedChange change in transaction.Changes)
        {
            switch (change.Kind)
            {
                case ChangeKind.OpenSession:
                    Sessions[transaction.SessionId] = change.Number;
                    break;
                case ChangeKind.CloseSession:
                    Sessions.Remove(transaction.SessionId);
                    ephemerals.Remove(transaction.SessionId, out HashSet<string>? paths);
                    foreach (string path in paths ?? [])
                    {
                        Remove(path, transaction.Zxid);
                    }
                    break;
                case ChangeKind.Create:
                    Create(change, transaction);
                    break;
                case ChangeKind.Delete:
                    Remove(change.Path, transaction.Zxid);
                    break;
                case ChangeKind.SetData when nodes.TryGetValue(change.Path, out StoredNode? node):
                    (node.Data, node.Version, node.Mzxid, node.MtimeMs) = (change.Data, change.Number, transaction.Zxid, transaction.TimeMs);
                    break;
                case ChangeKind.SetAcl when nodes.TryGetValue(change.Path, out StoredNode? node):
                    (node.Acl, node.Aversion) = (change.Acl, change.Number);
                    break;
                default:
                    break;
            }
        }
    }

    private void Create(LoggedChange change, LoggedTransaction by)
    {
        if (!nodes.TryGetValue(ParentOf(change.Path), out StoredNode? parent))
        {
            return;
        }
        // -1 stands in the logs of ZooKeeper 3.3, which did not tell.
        int creations = change.Number == -1 ? parent.Creations + 1 : change.Number;
        if (creations > parent.Creations)
        {
            (parent.Creations, parent.Pzxid) = (creations, by.Zxid);
        }
        Add(change.Path, new StoredNode
        {
            Data = change.Data,
            Acl = change.Acl,
            Owner = change.Owner,
            Czxid = by.Zxid,
            Mzxid = by.Zxid,
            Pzxid = by.Zxid,
            CtimeMs = by.TimeMs,
            MtimeMs = by.TimeMs,
        });
    }

    private void Remove(string path, long zxid)
    {
        if (nodes.TryGetValue(ParentOf(path), out StoredNode? parent))
        {
            parent.Pzxid = Math.Max(parent.Pzxid, zxid);
        }
        if (nodes.Remove(path, out StoredNode? node) && ephemerals.TryGetValue(node.Owner, out HashSet<string>? paths))
        {
            paths.Remove(path);
        }
    }
}
