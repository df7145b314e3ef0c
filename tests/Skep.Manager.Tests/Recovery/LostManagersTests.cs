using Docker.Swarmkit.V1;
using Skep.Identity.Authorization;
using Skep.Manager.Recovery;
using Skep.Manager.Tests.Control;
using Skep.Store.Members;

namespace Skep.Manager.Tests.Recovery;

/// <summary>What becomes of managers that were given up.</summary>
public sealed class LostManagersTests : IDisposable
{
    private const string Lost = "lost00000000000000000000a1";
    private const string Learning = "learning0000000000000000a1";
    private const string Worker = "worker000000000000000000a1";
    private const string Promoted = "promoted0000000000000000a1";

    private static readonly ulong[] GivenUp = [MemberIds.OfFounder(Lost), MemberIds.OfFounder(Learning)];
    private readonly ControlCluster cluster = new();

    public LostManagersTests()
    {
        cluster.Add(NewNode(Lost, NodeRole.Manager, NodeRole.Manager));
        cluster.Add(NewNode(Learning, NodeRole.Worker, NodeRole.Manager));
        cluster.Add(NewNode(Worker, NodeRole.Worker, NodeRole.Worker));
        cluster.Add(NewNode(Promoted, NodeRole.Worker, NodeRole.Manager));
        cluster.Add(new SwarmTask { Id = "runs", NodeId = Lost, Status = new() { State = TaskState.Running }, DesiredState = TaskState.Running });
        cluster.Add(new SwarmTask { Id = "ended", NodeId = Lost, Status = new() { State = TaskState.Complete }, DesiredState = TaskState.Shutdown });
        cluster.Add(new SwarmTask { Id = "elsewhere", NodeId = Worker, Status = new() { State = TaskState.Running }, DesiredState = TaskState.Running });
    }

    [Fact]
    public async Task Their_nodes_go_and_their_certificates_count_no_more_while_workers_stay()
    {
        IReadOnlyList<Node> dropped = await DropAsync(ControlCluster.ManagerId);

        Assert.Equal([Learning, Lost], dropped.Select(n => n.Id).Order(StringComparer.Ordinal));
        Assert.Equal([ControlCluster.ManagerId, Promoted, Worker], cluster.Store.Read(v => v.List<Node>().Select(n => n.Id).Order(StringComparer.Ordinal).ToList()));
        ClusterMembership membership = ClusterMembership.Of(cluster.Cluster);
        Assert.Equal((true, true, false), (membership.IsRemoved(Lost), membership.IsRemoved(Learning), membership.IsRemoved(Worker)));
    }

    [Fact]
    public async Task Their_tasks_are_told_lost_so_that_others_take_their_place()
    {
        await DropAsync(ControlCluster.ManagerId);

        Assert.Equal(TaskState.Orphaned, cluster.Get<SwarmTask>("runs").Status.State);
        Assert.Equal(TaskState.Complete, cluster.Get<SwarmTask>("ended").Status.State);
        Assert.Equal(TaskState.Running, cluster.Get<SwarmTask>("elsewhere").Status.State);
    }

    [Fact]
    public async Task It_can_be_repeated()
    {
        await DropAsync(ControlCluster.ManagerId);
        ulong version = cluster.Store.Version;

        Assert.Empty(await DropAsync(ControlCluster.ManagerId));
        Assert.Equal(version, cluster.Store.Version);
    }

    [Fact]
    public async Task Nobody_is_dropped_where_the_recovery_did_not_take_place() =>
        Assert.Empty(await DropAsync(ControlCluster.ManagerId, Lost));

    [Fact]
    public async Task A_manager_that_joined_since_stays()
    {
        cluster.Add(NewNode("joined000000000000000000a1", NodeRole.Manager, NodeRole.Manager));

        await DropAsync(ControlCluster.ManagerId, "joined000000000000000000a1");

        Assert.NotNull(cluster.Get<Node>("joined000000000000000000a1"));
    }

    public void Dispose() => cluster.Dispose();

    private Task<IReadOnlyList<Node>> DropAsync(params string[] members)
    {
        var view = new MembersView(1, true, 3, 1, [.. members.Select(n => new ClusterMember(MemberIds.OfFounder(n), "", MemberKind.Voter))], 9, 9, 9);
        return LostManagers.DropAsync(cluster.Store, view, ControlCluster.ManagerId, GivenUp, cluster.Time, TestContext.Current.CancellationToken);
    }

    private static Node NewNode(string id, NodeRole role, NodeRole desired) =>
        new() { Id = id, Role = role, Spec = new() { DesiredRole = desired, Membership = NodeSpec.Types.Membership.Accepted } };
}
