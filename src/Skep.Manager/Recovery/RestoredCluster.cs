using Docker.Swarmkit.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Skep.Api;
using Skep.Identity.Certificates;
using Skep.Identity.Tokens;
using Skep.Manager.Certificates;

namespace Skep.Manager.Recovery;

/// <summary>What a backup becomes in the hands of the one new manager that goes on with it.</summary>
/// <param name="Content">All objects, as the new manager's log begins with them.</param>
/// <param name="Cluster">The cluster object among them.</param>
/// <param name="Root">Its root CA, which can sign.</param>
/// <param name="NodeId">The new manager's node.</param>
/// <param name="Dropped">Nodes that are in the cluster no more.</param>
/// <param name="Kept">How many nodes come back by their certificates.</param>
/// <param name="TasksGivenUp">Tasks of which nobody is left to tell.</param>
public sealed record RestoredCluster(Snapshot Content, Cluster Cluster, RootCa Root, string NodeId, IReadOnlyList<Node> Dropped, int Kept, int TasksGivenUp)
{
    /// <summary>The same cluster: its id, CA, tokens and workers; the old managers' nodes are dropped.</summary>
    /// <param name="content">The backup's objects; changed.</param>
    /// <param name="index">The version of the store that they are.</param>
    /// <param name="nodeId">The new manager's node.</param>
    /// <param name="now">Now.</param>
    /// <exception cref="InvalidDataException">The backup lacks what a cluster needs.</exception>
    public static RestoredCluster Same(Snapshot content, ulong index, string nodeId, DateTimeOffset now)
    {
        Cluster cluster = Find(content);
        RootCa root = SigningRoot(cluster);
        StoreSnapshot store = content.Store;
        List<Node> dropped = [.. store.Nodes.Where(static n => n.Role == NodeRole.Manager || n.Spec?.DesiredRole == NodeRole.Manager || n.ManagerStatus is not null)];
        foreach (Node node in dropped)
        {
            NodeBlacklist.Add(cluster, node, now);
            store.Nodes.Remove(node);
        }
        HashSet<string> gone = [.. dropped.Select(static n => n.Id)];
        int givenUp = 0;
        for (int i = 0; i < store.Tasks.Count; i++)
        {
            if (gone.Contains(store.Tasks[i].NodeId) && LostManagers.IsUnderWay(store.Tasks[i]))
            {
                store.Tasks[i] = LostManagers.Orphaned(store.Tasks[i], now);
                Stamp(store.Tasks[i].Meta ??= new(), index, now);
                givenUp++;
            }
        }
        int kept = store.Nodes.Count;
        AddManager(content, cluster, nodeId, index, now);
        return new RestoredCluster(content, cluster, root, nodeId, dropped, kept, givenUp);
    }

    /// <summary>Another cluster with the same services, networks, secrets and configs: its id, CA and tokens are new, and it has no node but the manager.</summary>
    /// <inheritdoc cref="Same"/>
    /// <param name="content">The backup's objects; changed.</param>
    /// <param name="index">The version of the store that they are.</param>
    /// <param name="nodeId">The new manager's node.</param>
    /// <param name="time">Now, and from when the CA counts.</param>
    public static RestoredCluster AsNew(Snapshot content, ulong index, string nodeId, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(time);
        Cluster cluster = Find(content);
        RootCa root = RootCa.Create(time);
        StoreSnapshot store = content.Store;
        List<Node> dropped = [.. store.Nodes];
        int givenUp = store.Tasks.Count(LostManagers.IsUnderWay);
        store.Nodes.Clear();
        store.Tasks.Clear();
        cluster.Id = Ids.New();
        cluster.BlacklistedCertificates.Clear();
        cluster.RootCa = new RootCA
        {
            CaKey = ByteString.CopyFrom(root.SigningKeyPem),
            CaCert = ByteString.CopyFrom(root.BundlePem),
            CaCertHash = root.DigestText,
            JoinTokens = new JoinTokens
            {
                Worker = JoinToken.Generate(root, cluster.Fips).ToString(),
                Manager = JoinToken.Generate(root, cluster.Fips).ToString(),
            },
        };

        // Engines of the old cluster must not read what those of the new one say.
        cluster.NetworkBootstrapKeys.Clear();
        NetworkKeys.Rotate(cluster);
        AddManager(content, cluster, nodeId, index, time.GetUtcNow());
        return new RestoredCluster(content, cluster, root, nodeId, dropped, 0, givenUp);
    }

    private static Cluster Find(Snapshot content)
    {
        ArgumentNullException.ThrowIfNull(content);
        return content.Store?.Clusters.FirstOrDefault(static c => c.Spec?.Annotations?.Name == ClusterObject.Name)
            ?? throw new InvalidDataException("the backup holds no cluster object; take another backup");
    }

    private static RootCa SigningRoot(Cluster cluster)
    {
        RootCa root;
        try
        {
            root = ClusterObject.SigningRoot(cluster.RootCa ?? new());
        }
        catch (CertificateException e)
        {
            throw new InvalidDataException($"the backup's root CA cannot be used: {e.Message}; restore it as a new cluster with --restore-as-new", e);
        }
        return root.CanSign ? root : throw new InvalidDataException("the backup holds no root CA key, so no manager's certificate can be signed; restore it as a new cluster with --restore-as-new");
    }

    private static void AddManager(Snapshot content, Cluster cluster, string nodeId, ulong index, DateTimeOffset now)
    {
        Node manager = FirstCluster.CreateManager(nodeId, new() { VxlanUdpPort = cluster.VXLANUDPPort });
        manager.Meta = new() { CreatedAt = Timestamp.FromDateTimeOffset(now) };
        Stamp(manager.Meta, index, now);
        content.Store.Nodes.Add(manager);
        Stamp(cluster.Meta ??= new(), index, now);
    }

    private static void Stamp(Meta meta, ulong index, DateTimeOffset now)
    {
        meta.Version = new Docker.Swarmkit.V1.Version { Index = index };
        meta.UpdatedAt = Timestamp.FromDateTimeOffset(now);
    }
}
