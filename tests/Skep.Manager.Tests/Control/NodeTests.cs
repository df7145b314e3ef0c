using Docker.Swarmkit.V1;
using Grpc.Core;
using Skep.Identity;
using Availability = Docker.Swarmkit.V1.NodeSpec.Types.Availability;

namespace Skep.Manager.Tests.Control;

public sealed class NodeTests : IDisposable
{
    private readonly ControlCluster cluster = new();

    [Fact]
    public async Task Availability_is_set_in_the_version_that_was_read()
    {
        Node node = Worker("n1");
        Node drained = await Update(node, s => s.Availability = Availability.Drain);
        Assert.Equal(Availability.Drain, cluster.Get<Node>("n1").Spec.Availability);
        await ControlCluster.Refused(StatusCode.Unknown, "update out of sequence", () => Update(node, s => s.Availability = Availability.Pause));
        await Update(drained, s => s.Availability = Availability.Active);
    }

    [Fact]
    public async Task Managers_are_shown_with_their_standing()
    {
        Worker("n1");
        var nodes = (await cluster.Api.ListNodes(new(), null!)).Nodes;
        Assert.Equal(RaftMemberStatus.Types.Reachability.Reachable, nodes.Single(n => n.Id == ControlCluster.ManagerId).ManagerStatus.Reachability);
        Assert.Null(nodes.Single(n => n.Id == "n1").ManagerStatus);
        Assert.True((await cluster.Api.GetNode(new() { NodeId = ControlCluster.ManagerId }, null!)).Node.ManagerStatus.Leader);
        Assert.Null(cluster.Get<Node>(ControlCluster.ManagerId).ManagerStatus);
    }

    [Fact]
    public async Task Filters_all_apply()
    {
        Worker("n1", "alpha");
        Worker("n2", "beta");
        Assert.Equal(["n1"], await Ids(new() { Names = { "alpha" } }));
        Assert.Equal(["n2"], await Ids(new() { NamePrefixes = { "be" } }));
        Assert.Equal(["n1", "n2"], await Ids(new() { IdPrefixes = { "n" } }));
        Assert.Equal([ControlCluster.ManagerId], await Ids(new() { Roles = { NodeRole.Manager } }));
        Assert.Equal(["n2"], await Ids(new() { Labels = { ["of"] = "beta" } }));
        Assert.Equal(["n1"], await Ids(new() { NodeLabels = { ["named"] = "alpha" } }));
        Assert.Equal(["n1", "n2"], await Ids(new() { Memberships = { NodeSpec.Types.Membership.Pending } }));
        Assert.Empty(await Ids(new() { Names = { "alpha" }, IdPrefixes = { "n2" } }));
    }

    [Fact]
    public Task The_last_manager_cannot_be_demoted() => ControlCluster.Refused(
        StatusCode.FailedPrecondition,
        "attempting to demote the last manager of the swarm",
        () => Update(cluster.Get<Node>(ControlCluster.ManagerId), s => s.DesiredRole = NodeRole.Worker));

    [Fact]
    public async Task A_manager_the_others_need_cannot_be_demoted()
    {
        Node second = Worker("n1", role: NodeRole.Manager);
        await ControlCluster.Refused(StatusCode.NotFound, "can't find manager in raft memberlist", () => Update(second, s => s.DesiredRole = NodeRole.Worker));
        cluster.Members["n1"] = false;
        await ControlCluster.Refused(
            StatusCode.FailedPrecondition,
            "can't remove member from the raft: this would result in a loss of quorum",
            () => Update(second, s => s.DesiredRole = NodeRole.Worker));
        cluster.Members["n1"] = true;
        await Update(second, s => s.DesiredRole = NodeRole.Worker);
        Assert.Equal(NodeRole.Worker, cluster.Get<Node>("n1").Spec.DesiredRole);
    }

    [Fact]
    public async Task Promotion_is_refused_with_the_reason_while_no_further_manager_can_take_part()
    {
        Node node = Worker("n1");
        cluster.Change<Node>("n1", n => n.Description = new() { Engine = new() { Labels = { [SkepMark.EngineLabel] = SkepMark.Version } } });
        cluster.FullReason = "one manager is enough";
        await ControlCluster.RefusedAbout(StatusCode.FailedPrecondition, "one manager is enough", () => Update(cluster.Get<Node>(node.Id), s => s.DesiredRole = NodeRole.Manager));
    }

    [Fact]
    public async Task Only_a_Skep_node_becomes_a_manager()
    {
        Node docker = Worker("n1");
        await ControlCluster.RefusedAbout(StatusCode.FailedPrecondition, "node n1 cannot become a manager", () => Update(docker, s => s.DesiredRole = NodeRole.Manager));
        cluster.Change<Node>("n1", n => n.Description.Engine.Labels[SkepMark.EngineLabel] = "0.1.0");
        await Update(cluster.Get<Node>("n1"), s => s.DesiredRole = NodeRole.Manager);
    }

    [Fact]
    public async Task A_ready_node_is_not_removed_unless_forced()
    {
        Worker("n1");
        await ControlCluster.Refused(StatusCode.FailedPrecondition, "node n1 is not down and can't be removed", () => Remove("n1"));
        await Remove("n1", force: true);
        await ControlCluster.Refused(StatusCode.NotFound, "node n1 not found", () => Remove("n1"));
    }

    [Fact]
    public async Task A_removed_node_s_certificate_is_kept_out_and_its_tasks_are_orphaned()
    {
        Worker("n1", state: NodeStatus.Types.State.Down);
        cluster.Add(new SwarmTask { Id = "t1", NodeId = "n1", Spec = new() { Attachment = new() }, Status = new() { State = TaskState.Running } });
        cluster.Add(new SwarmTask { Id = "t2", NodeId = "n1", Spec = new() { Container = new() }, Status = new() { State = TaskState.Running } });
        cluster.Add(new SwarmTask { Id = "t3", NodeId = "n1", Spec = new() { Container = new() }, Status = new() { State = TaskState.Failed } });
        await Remove("n1");
        Assert.Contains("n1", cluster.Cluster.BlacklistedCertificates.Keys);
        Assert.Equal(TaskState.Orphaned, cluster.Get<SwarmTask>("t1").Status.State);
        Assert.Equal(TaskState.Orphaned, cluster.Get<SwarmTask>("t2").Status.State);
        Assert.Equal(TaskState.Failed, cluster.Get<SwarmTask>("t3").Status.State);
    }

    [Fact]
    public Task A_manager_is_not_removed_even_by_force() => ControlCluster.Refused(
        StatusCode.FailedPrecondition,
        $"node {ControlCluster.ManagerId} is a cluster manager and is a member of the raft cluster. It must be demoted to worker before removal",
        () => Remove(ControlCluster.ManagerId, force: true));

    [Fact]
    public async Task A_request_must_say_what_it_is_about()
    {
        await ControlCluster.Refused(StatusCode.InvalidArgument, "invalid argument", () => cluster.Api.GetNode(new(), null!));
        await ControlCluster.Refused(StatusCode.InvalidArgument, "invalid argument", () => cluster.Api.UpdateNode(new() { NodeId = "x", Spec = new() }, null!));
        await ControlCluster.Refused(StatusCode.InvalidArgument, "invalid argument", () => cluster.Api.UpdateNode(new() { NodeId = "x", NodeVersion = new() }, null!));
        await ControlCluster.Refused(StatusCode.InvalidArgument, "invalid argument", () => Remove(""));
        await ControlCluster.Refused(StatusCode.NotFound, "node x not found", () => cluster.Api.GetNode(new() { NodeId = "x" }, null!));
    }

    public void Dispose() => cluster.Dispose();

    private Node Worker(string id, string? hostname = null, NodeRole role = NodeRole.Worker, NodeStatus.Types.State state = NodeStatus.Types.State.Ready)
    {
        cluster.Add(new Node
        {
            Id = id,
            Role = role,
            Spec = new() { DesiredRole = role, Annotations = new() { Labels = { ["named"] = hostname ?? id } } },
            Status = new() { State = state },
            Description = new() { Hostname = hostname ?? id, Engine = new() { EngineVersion = "20.10", Labels = { ["of"] = hostname ?? id } } },
        });
        return cluster.Get<Node>(id);
    }

    private async Task<Node> Update(Node node, Action<NodeSpec> change)
    {
        NodeSpec spec = node.Spec.Clone();
        change(spec);
        return (await cluster.Api.UpdateNode(new() { NodeId = node.Id, NodeVersion = node.Meta.Version, Spec = spec }, null!)).Node;
    }

    private Task Remove(string id, bool force = false) => cluster.Api.RemoveNode(new() { NodeId = id, Force = force }, null!);

    private async Task<List<string>> Ids(ListNodesRequest.Types.Filters filters) =>
        [.. (await cluster.Api.ListNodes(new() { Filters = filters }, null!)).Nodes.Select(n => n.Id)];
}
