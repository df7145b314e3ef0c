using Skep.Coordination.Client;
using Skep.Jute;
using Swarmctl.Coordination.ZooKeeperFiles;

namespace Swarmctl.Coordination.Moving;

/// <summary>
/// Reads a tree through the protocol. That takes a while and is not one instant; but a node's data, ACL and children are read until all three
/// tell the same Stat, so that each node is as it once was. The protocol does not tell containers and times to live.
/// </summary>
internal sealed class TreeExport(CoordinationClient client, Action<int> progress)
{
    // Three requests that follow one another directly seldom see a change between them.
    private const int MostTries = 100;

    private long began;

    public StoredTree Tree { get; } = StoredTree.Empty();

    public int Ephemerals { get; private set; }

    public long DataBytes { get; private set; }

    /// <summary>Nodes made or changed after the walk began.</summary>
    public int Changed { get; private set; }

    /// <summary>Transactions of any kind that were done while the tree was walked.</summary>
    public long TransactionsMeanwhile { get; private set; }

    /// <param name="from">The node to export, with what is below it and the nodes above it.</param>
    /// <param name="ct">Stops.</param>
    public async Task RunAsync(string from, CancellationToken ct)
    {
        await client.SyncAsync("/", ct);
        began = client.LastZxid;
        for (int slash = 0; slash >= 0 && from != "/"; slash = from.IndexOf('/', slash + 1))
        {
            Take(await ReadAsync(slash == 0 ? "/" : from[..slash], ct));
        }
        int done = 0;
        await foreach (Walk.Found<StoredNode> found in Walk.AllAsync(from, path => ReadAsync(path, ct), ct))
        {
            Take(found);
            progress(++done);
        }
        await client.SyncAsync("/", ct);
        Tree.LastZxid = client.LastZxid;
        TransactionsMeanwhile = Tree.LastZxid - began;
    }

    private void Take(Walk.Found<StoredNode> found)
    {
        (string path, StoredNode node, _) = found;
        if (node.Kind == NodeKind.Ephemeral)
        {
            Ephemerals++;
            return;
        }
        DataBytes += node.Data?.Length ?? 0;
        Changed += Math.Max(node.Mzxid, node.Pzxid) > began ? 1 : 0;
        Tree.Set(path, node);
    }

    private async Task<Walk.Found<StoredNode>> ReadAsync(string path, CancellationToken ct)
    {
        for (int tried = 1; ; tried++)
        {
            Task<NodeData> reading = client.GetDataAsync(path, ct);
            Task<NodeAcl> readingAcl = client.GetAclAsync(path, ct);
            Task<NodeChildren> readingChildren = client.GetChildrenAsync(path, ct);
            await Task.WhenAll(reading, readingAcl, readingChildren);
            NodeData data = await reading;
            NodeAcl acl = await readingAcl;
            NodeChildren children = await readingChildren;
            if (data.Stat == acl.Stat && data.Stat == children.Stat)
            {
                return new Walk.Found<StoredNode>(path, Stored(path, data, acl.Acl), [.. children.Children.Where(c => !ServersOwn.Holds(CoordinationRun.Child(path, c)))]);
            }
            if (tried == MostTries)
            {
                throw new UserException($"{path} changes too fast to be read as it is at one instant");
            }
        }
    }

    private static StoredNode Stored(string path, NodeData data, IReadOnlyList<Acl> acl)
    {
        if (acl.Any(static a => a.Id.Scheme == "digest" && a.Id.Name.EndsWith(":x", StringComparison.Ordinal)))
        {
            throw new UserException($"{path}: the server shows its ACL without the digests, as it does to all who may not administer the node: give --auth for one who may");
        }
        Stat stat = data.Stat;
        return new StoredNode
        {
            Data = data.IsNull ? null : data.Data,
            Acl = acl,
            Czxid = stat.Czxid,
            Mzxid = stat.Mzxid,
            Pzxid = stat.Pzxid,
            CtimeMs = stat.Ctime,
            MtimeMs = stat.Mtime,
            Version = stat.Version,
            Creations = (int)(((long)stat.Cversion + stat.NumChildren) / 2),
            Aversion = stat.Aversion,
            Owner = stat.EphemeralOwner,
        };
    }
}
