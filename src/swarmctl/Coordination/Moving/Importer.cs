using System.Security.Cryptography;
using System.Text;
using Skep.Coordination.Client;
using Skep.Jute;
using Swarmctl.Coordination.ZooKeeperFiles;

namespace Swarmctl.Coordination.Moving;

/// <summary>
/// Makes what is planned through the protocol. A node whose ACL would keep this session from filling it gets, until it is filled, an entry
/// more for an identity that only this run knows; its own entries count all the while.
/// </summary>
internal sealed class Importer(CoordinationClient client, ImportPlan plan, Action<int> progress)
{
    // Servers take 1 MiB in a request; a batch above this goes.
    private const int BatchBytes = 400 * 1024;
    private const int BatchOperations = 500;
    private const int BatchesUnderWay = 8;
    private const int RequestsUnderWay = 512;

    // No one's node: a name that a client may have, but hardly has.
    private const string Placeholder = ".swarmctl-import";

    private readonly Window batches = new(BatchesUnderWay);
    private readonly string keyName = $"swarmctl-import-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4))}";
    private Transaction batch = new();
    private int batchOperations;
    private int batchBytes;
    private int batchNodes;
    private int done;

    /// <summary>Nodes made or set so far.</summary>
    public int Done => done;

    /// <summary>Which of the planned nodes are there already.</summary>
    public async Task<Dictionary<string, Stat>> FindExistingAsync(CancellationToken ct)
    {
        var there = new Dictionary<string, Stat>();
        var window = new Window(RequestsUnderWay);

        // Level by level: below what is not there, nothing is.
        foreach (IGrouping<int, PlannedNode> level in plan.Nodes.GroupBy(static n => n.Path == "/" ? 0 : n.Path.Count(static c => c == '/')).OrderBy(static g => g.Key))
        {
            foreach (PlannedNode node in level.Where(n => n.Path == plan.Into || there.ContainsKey(StoredTree.ParentOf(n.Path))).ToList())
            {
                await window.AddAsync(AskAsync(node.Path));
            }
            await window.EndAsync();
        }
        return there;

        async Task AskAsync(string path)
        {
            if (await client.ExistsAsync(path, ct) is { } stat)
            {
                lock (there)
                {
                    there[path] = stat;
                }
            }
        }
    }

    /// <param name="existing">What <see cref="FindExistingAsync"/> found: its data and ACL are set.</param>
    /// <param name="setInto">Whether that goes for the node that the tree's root becomes, too.</param>
    /// <param name="ct">Stops.</param>
    /// <exception cref="CoordinationException">A node could not be made; <see cref="Done"/> were.</exception>
    public async Task RunAsync(Dictionary<string, Stat> existing, bool setInto, CancellationToken ct)
    {
        bool NeedsKey(PlannedNode n) => n.NeedsKey && !existing.ContainsKey(n.Path);
        Acl[] key = plan.Nodes.Any(NeedsKey) ? [await MakeKeyAsync(ct)] : [];
        Dictionary<string, int> existingChildren = existing.Keys.Where(p => p != plan.Into).CountBy(StoredTree.ParentOf).ToDictionary();
        foreach (PlannedNode node in plan.Nodes)
        {
            int bytes = 128 + (2 * node.Path.Length) + (node.Node.Data?.Length ?? 0) + ((node.Node.Acl.Count + 1) * 64);
            if (batchOperations >= BatchOperations || batchBytes + bytes > BatchBytes)
            {
                await SendAsync(ct);
            }
            batchBytes += bytes;
            batchNodes++;
            if (!existing.TryGetValue(node.Path, out Stat there))
            {
                Create(node, key);
                batchOperations++;
            }
            else if (setInto || node.Path != plan.Into)
            {
                batch.SetData(node.Path, node.Node.Data.GetValueOrDefault());
                batchOperations++;
            }
            await StepAsync(node, node.Counter - Creations(there) - (node.Children - existingChildren.GetValueOrDefault(node.Path)), ct);
        }
        await SendAsync(ct);
        await batches.EndAsync();

        var acls = new Window(RequestsUnderWay);
        foreach (PlannedNode node in plan.Nodes.Where(n => NeedsKey(n) || (existing.ContainsKey(n.Path) && (setInto || n.Path != plan.Into))))
        {
            await acls.AddAsync(client.SetAclAsync(node.Path, node.Node.Acl, ct: ct));
        }
        await acls.EndAsync();
    }

    private static int Creations(Stat stat) => (int)(((long)stat.Cversion + stat.NumChildren) / 2);

    // Only creations move the counter of sequential names on, so a child is made and removed as often as it takes.
    private async Task StepAsync(PlannedNode node, int steps, CancellationToken ct)
    {
        string placeholder = CoordinationRun.Child(node.Path, Placeholder);
        for (; steps > 0; steps--)
        {
            if (batchOperations >= BatchOperations)
            {
                await SendAsync(ct);
            }
            batch.Create(placeholder).Delete(placeholder);
            batchOperations += 2;
        }
    }

    private void Create(PlannedNode planned, IReadOnlyList<Acl> key)
    {
        StoredNode node = planned.Node;
        (CreateMode mode, TimeSpan? ttl) = node.Kind switch
        {
            NodeKind.Container => (CreateMode.Container, default(TimeSpan?)),
            NodeKind.Ttl => (CreateMode.PersistentWithTtl, TimeSpan.FromMilliseconds(node.TtlMs)),
            _ => (CreateMode.Persistent, null),
        };
        batch.Create(planned.Path, node.Data, mode, planned.NeedsKey ? [.. node.Acl, .. key] : node.Acl, ttl);
    }

    private async Task SendAsync(CancellationToken ct)
    {
        (Transaction full, int nodes, bool isEmpty) = (batch, batchNodes, batchOperations == 0);
        (batch, batchOperations, batchBytes, batchNodes) = (new Transaction(), 0, 0, 0);
        if (!isEmpty)
        {
            await batches.AddAsync(DoAsync());
        }

        async Task DoAsync()
        {
            await client.MultiAsync(full, ct);
            progress(Interlocked.Add(ref done, nodes));
        }
    }

    private async Task<Acl> MakeKeyAsync(CancellationToken ct)
    {
        string password = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
        try
        {
            await client.AddAuthAsync(AuthInfo.Digest(keyName, password), ct);
        }
        catch (CoordinationException e) when (e.ErrorCode == ErrorCode.AuthFailed)
        {
            throw new UserException("some nodes have an ACL that lets nobody fill them, for which an import shows a password of its own; the server takes none on this connection: connect by --tls, or on the server's machine");
        }

        // ZooKeeper's digests are SHA-1, whatever one thinks of it.
#pragma warning disable CA5350
        byte[] hash = SHA1.HashData(Encoding.UTF8.GetBytes($"{keyName}:{password}"));
#pragma warning restore CA5350
        return new Acl((int)Permissions.All, new AclId("digest", $"{keyName}:{Convert.ToBase64String(hash)}"));
    }
}
