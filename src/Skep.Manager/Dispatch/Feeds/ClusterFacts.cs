using System.Collections.Immutable;
using Docker.Swarmkit.V1;
using Google.Protobuf;
using Skep.Store;

namespace Skep.Manager.Dispatch.Feeds;

/// <summary>What the cluster tells every node in a session.</summary>
/// <param name="RootCa">The bundle of roots to trust, PEM.</param>
/// <param name="NetworkKeys">The keys of the nodes' own gossip and data traffic.</param>
/// <param name="Managers">The managers and the addresses they advertise.</param>
/// <param name="HeartbeatPeriod">Zero where the spec says nothing.</param>
internal sealed record ClusterFacts(
    ByteString RootCa, ImmutableArray<EncryptionKey> NetworkKeys, ImmutableArray<Peer> Managers, TimeSpan HeartbeatPeriod)
{
    /// <summary>The name of the one cluster object.</summary>
    private const string ClusterName = "default";

    public static readonly ClusterFacts None = new(ByteString.Empty, [], [], TimeSpan.Zero);

    public static ClusterFacts Read(IStoreView view)
    {
        Cluster? cluster = view.ByName<Cluster>(ClusterName);
        return new(
            cluster?.RootCa?.CaCert ?? ByteString.Empty,
            cluster is null ? [] : [.. cluster.NetworkBootstrapKeys],
            [.. view.List<Node>().Where(n => n.ManagerStatus is not null).OrderBy(n => n.Id, StringComparer.Ordinal)
                .Select(n => new Peer { NodeId = n.Id, Addr = n.ManagerStatus.Addr })],
            cluster?.Spec?.Dispatcher?.HeartbeatPeriod?.ToTimeSpan() ?? TimeSpan.Zero);
    }

    /// <summary>Whether a commit may have changed them.</summary>
    public static bool Concerns(StoreCommit commit) => commit.Changes.Any(c =>
        c.Object is Cluster
        || (c.Object is Node node && (node.ManagerStatus is not null || (c.Old as Node)?.ManagerStatus is not null)));
}
