using Docker.Swarmkit.V1;
using Grpc.Core;
using Skep.Manager.Dispatch;
using Skep.Manager.Tests.Support;

namespace Skep.Manager.Tests.Dispatch;

public sealed class SilentNodeTests
{
    [Fact]
    public async Task A_heartbeat_is_due_after_the_cluster_s_period_give_or_take_half_a_second()
    {
        await using DispatchFixture f = await DispatchFixture.StartedAsync("n1");
        string session = await f.RegisterAsync("n1");
        var periods = new HashSet<TimeSpan>();
        for (int i = 0; i < 50; i++)
        {
            periods.Add(await f.HeartbeatAsync("n1", session));
        }
        Assert.All(periods, p => Assert.InRange(p.TotalSeconds, 4.5, 5.5));
        Assert.True(periods.Count > 10, "the periods are spread");
    }

    [Fact]
    public async Task The_cluster_s_spec_sets_the_period()
    {
        await using DispatchFixture f = await DispatchFixture.StartedAsync("n1");
        OpenStream<SessionMessage> stream = f.OpenSession("n1");
        string session = (await stream.FirstAsync("registration")).SessionId;
        await f.Store.UpdateAsync(tx => tx.Create(new Cluster
        {
            Id = "c",
            Spec = new() { Annotations = new() { Name = "default" }, Dispatcher = new() { HeartbeatPeriod = new() { Seconds = 30 } } },
            RootCa = new() { CaCert = Google.Protobuf.ByteString.CopyFromUtf8("PEM") },
        }));
        await stream.Messages.NextAsync("the cluster is known");
        Assert.InRange((await f.HeartbeatAsync("n1", session)).TotalSeconds, 29.5, 30.5);
    }

    [Fact]
    public async Task A_node_is_down_after_three_silent_periods_and_its_session_is_over()
    {
        await using DispatchFixture f = await DispatchFixture.StartedAsync("n1");
        OpenStream<SessionMessage> stream = f.OpenSession("n1");
        string session = (await stream.FirstAsync("registration")).SessionId;

        f.Time.Advance(TimeSpan.FromSeconds(13));
        await f.HeartbeatAsync("n1", session);
        f.Time.Advance(TimeSpan.FromSeconds(13));
        Assert.Equal(NodeStatus.Types.State.Ready, f.Node("n1").Status.State);

        f.Time.Advance(TimeSpan.FromSeconds(4));
        await f.Store.Until(v => v.Get<Node>("n1")!.Status is { State: NodeStatus.Types.State.Down, Message: "heartbeat failure" }, "the node is down");
        Assert.Equal(StatusCode.NotFound, (await stream.EndAsync("the session ends")).StatusCode);
        RpcException refused = await Assert.ThrowsAsync<RpcException>(() => f.HeartbeatAsync("n1", session));
        Assert.Equal((StatusCode.NotFound, "node not registered"), (refused.StatusCode, refused.Status.Detail));

        await f.RegisterAsync("n1");
        Assert.Equal(NodeStatus.Types.State.Ready, f.Node("n1").Status.State);
    }

    [Fact]
    public async Task A_heartbeat_with_another_session_is_invalid()
    {
        await using DispatchFixture f = await DispatchFixture.StartedAsync("n1");
        await f.RegisterAsync("n1");
        foreach (string session in (string[])["", "another"])
        {
            RpcException refused = await Assert.ThrowsAsync<RpcException>(() => f.HeartbeatAsync("n1", session));
            Assert.Equal((StatusCode.InvalidArgument, "session invalid"), (refused.StatusCode, refused.Status.Detail));
        }
    }

    [Fact]
    public async Task A_new_leader_waits_for_the_nodes_it_finds_and_they_are_unknown_until_they_register()
    {
        await using DispatchFixture f = await DispatchFixture.StartedAsync("comes", "stays away");
        Assert.Equal(NodeStatus.Types.State.Unknown, f.Node("comes").Status.State);
        Assert.Equal("Node moved to \"unknown\" state due to leadership change in cluster", f.Node("comes").Status.Message);

        string session = await f.RegisterAsync("comes");
        f.Time.Advance(TimeSpan.FromSeconds(13));
        await f.HeartbeatAsync("comes", session);
        f.Time.Advance(TimeSpan.FromSeconds(4));
        await f.Store.Until(v => v.Get<Node>("stays away")!.Status.State == NodeStatus.Types.State.Down, "the other is down");
        Assert.Equal("heartbeat failure for node in \"unknown\" state", f.Node("stays away").Status.Message);
        Assert.Equal(NodeStatus.Types.State.Ready, f.Node("comes").Status.State);
    }

    [Fact]
    public async Task Tasks_under_way_on_a_node_that_is_down_for_a_day_are_orphaned_and_ended_ones_stay_as_they_are()
    {
        await using DispatchFixture f = await DispatchFixture.StartedAsync("n1");
        await f.RegisterAsync("n1");
        await f.AddTaskAsync("running", "n1", TaskState.Running);
        await f.AddTaskAsync("failed", "n1", TaskState.Failed);
        f.Time.Advance(TimeSpan.FromSeconds(20));
        await f.Store.Until(v => v.Get<Node>("n1")!.Status.State == NodeStatus.Types.State.Down, "the node is down");

        f.Time.Advance(TimeSpan.FromHours(23));
        Assert.Equal(TaskState.Running, f.StateOf("running"));
        f.Time.Advance(TimeSpan.FromHours(1));
        await f.Store.Until(v => v.Get<SwarmTask>("running")!.Status.State == TaskState.Orphaned, "the task is given up");
        Assert.Equal(TaskState.Failed, f.StateOf("failed"));
    }

    [Fact]
    public async Task A_node_that_came_back_in_time_keeps_its_tasks()
    {
        await using var f = new DispatchFixture(new DispatcherOptions { OrphanAfter = TimeSpan.FromMinutes(1) });
        await f.Store.UpdateAsync(tx => tx.Create(new Node { Id = "n1", Status = new() { State = NodeStatus.Types.State.Down } }));
        await f.AddTaskAsync("t", "n1", TaskState.Running);
        await f.StartAsync();
        string session = await f.RegisterAsync("n1");
        for (int i = 0; i < 20; i++)
        {
            f.Time.Advance(TimeSpan.FromSeconds(5));
            await f.HeartbeatAsync("n1", session);
        }
        Assert.Equal(TaskState.Running, f.StateOf("t"));
    }

    [Fact]
    public async Task Five_thousand_nodes_beat_and_none_is_lost()
    {
        await using var f = new DispatchFixture();
        string[] ids = [.. Enumerable.Range(0, 5_000).Select(i => $"n{i}")];
        await f.AddNodesAsync(ids);
        await f.StartAsync();
        var sessions = await Task.WhenAll(ids.Select(async id => (Id: id, Session: await f.RegisterAsync(id))));
        for (int round = 0; round < 10; round++)
        {
            f.Time.Advance(TimeSpan.FromSeconds(5));
            foreach ((string id, string session) in sessions)
            {
                await f.HeartbeatAsync(id, session);
            }
        }
        Assert.All(ids, id => Assert.Equal(NodeStatus.Types.State.Ready, f.Node(id).Status.State));
    }
}
