using Docker.Swarmkit.V1;
using Google.Protobuf;
using Skep.Identity.Authorization;
using Skep.Identity.Certificates;
using Skep.Manager.Recovery;
using Skep.Manager.Tests.Control;

namespace Skep.Manager.Tests.Recovery;

/// <summary>What a backup becomes under its one new manager.</summary>
public sealed class RestoredClusterTests : IDisposable
{
    private const string NewNode = "new000000000000000000000a1";
    private const string Worker = "worker000000000000000000a1";
    private const ulong Index = 4711;

    private readonly ControlCluster cluster = new();

    public RestoredClusterTests()
    {
        cluster.Add(new Node { Id = Worker, Role = NodeRole.Worker, Spec = new() { DesiredRole = NodeRole.Worker } });
        cluster.Add(new SwarmTask { Id = "on-manager", NodeId = ControlCluster.ManagerId, Status = new() { State = TaskState.Running } });
        cluster.Add(new SwarmTask { Id = "on-worker", NodeId = Worker, Status = new() { State = TaskState.Running } });
        cluster.CreateService().GetAwaiter().GetResult();
        cluster.CreateSecret("key").GetAwaiter().GetResult();
    }

    [Fact]
    public void The_same_cluster_keeps_id_CA_tokens_workers_and_objects_and_loses_its_managers()
    {
        Cluster before = cluster.Cluster.Clone();
        Service service = cluster.Store.TakeSnapshot().Store.Services.Single();

        RestoredCluster restored = RestoredCluster.Same(Backup(), Index, NewNode, cluster.Time.GetUtcNow());

        Assert.Equal((before.Id, before.RootCa), (restored.Cluster.Id, restored.Cluster.RootCa));
        Assert.Equal(cluster.Root.Digest, restored.Root.Digest);
        Assert.Equal(service, restored.Content.Store.Services.Single());
        Assert.Equal([NewNode, Worker], restored.Content.Store.Nodes.Select(n => n.Id).Order(StringComparer.Ordinal));
        Assert.Equal(NodeRole.Manager, restored.Content.Store.Nodes.Single(n => n.Id == NewNode).Role);
        Assert.Equal((ControlCluster.ManagerId, 1, 1), (Assert.Single(restored.Dropped).Id, restored.Kept, restored.TasksGivenUp));
        ClusterMembership membership = ClusterMembership.Of(restored.Cluster);
        Assert.Equal((true, false, false), (membership.IsRemoved(ControlCluster.ManagerId), membership.IsRemoved(Worker), membership.IsRemoved(NewNode)));
        Assert.Equal((TaskState.Orphaned, TaskState.Running), (State(restored, "on-manager"), State(restored, "on-worker")));
        Assert.All(restored.Content.Store.Nodes, n => Assert.True((n.Meta?.Version?.Index ?? 0) <= Index));
    }

    [Fact]
    public void As_a_new_cluster_it_keeps_only_what_people_made()
    {
        Cluster before = cluster.Cluster.Clone();

        RestoredCluster restored = RestoredCluster.AsNew(Backup(), Index, NewNode, cluster.Time);

        Assert.NotEqual(before.Id, restored.Cluster.Id);
        Assert.NotEqual(cluster.Root.Digest, restored.Root.Digest);
        Assert.NotEqual(before.RootCa.JoinTokens, restored.Cluster.RootCa.JoinTokens);
        Assert.DoesNotContain(restored.Cluster.NetworkBootstrapKeys, k => before.NetworkBootstrapKeys.Any(b => b.Key == k.Key));
        Assert.True(restored.Root.CanSign && RootCa.FromBundle(restored.Cluster.RootCa.CaCert.Span).Digest.SequenceEqual(restored.Root.Digest));
        Assert.Equal((2, 0, 2), (restored.Dropped.Count, restored.Kept, restored.TasksGivenUp));
        Assert.Equal(NewNode, Assert.Single(restored.Content.Store.Nodes).Id);
        Assert.Empty(restored.Content.Store.Tasks);
        Assert.Equal(("web", "key"), (restored.Content.Store.Services.Single().Spec.Annotations.Name, restored.Content.Store.Secrets.Single().Spec.Annotations.Name));
    }

    [Fact]
    public void A_backup_without_a_cluster_or_without_a_CA_key_is_refused_with_the_way_on()
    {
        Snapshot none = Backup();
        none.Store.Clusters.Clear();
        Assert.Contains("no cluster object", Assert.Throws<InvalidDataException>(() => RestoredCluster.Same(none, Index, NewNode, default)).Message, StringComparison.Ordinal);

        Snapshot keyless = Backup();
        keyless.Store.Clusters[0].RootCa.CaKey = ByteString.Empty;
        Assert.Contains("--restore-as-new", Assert.Throws<InvalidDataException>(() => RestoredCluster.Same(keyless, Index, NewNode, default)).Message, StringComparison.Ordinal);
    }

    public void Dispose() => cluster.Dispose();

    private static TaskState State(RestoredCluster restored, string task) => restored.Content.Store.Tasks.Single(t => t.Id == task).Status.State;

    // What comes out of a file shares nothing with the store.
    private Snapshot Backup() => cluster.Store.TakeSnapshot().Clone();
}
