using Docker.Swarmkit.V1;
using Google.Protobuf;
using Grpc.Core;
using Skep.Manager.Tests.Support;

namespace Skep.Manager.Tests.Dispatch;

public sealed class SessionTests
{
    [Fact]
    public async Task A_node_that_registers_is_ready_with_its_description_and_its_address()
    {
        await using DispatchFixture f = await DispatchFixture.StartedAsync("n1");
        SessionMessage first = await f.OpenSession("n1", new() { Description = new() { Hostname = "host-1" } }).FirstAsync("registration");

        Assert.NotEmpty(first.SessionId);
        Assert.Equal("n1", first.Node.Id);
        Assert.Equal(NodeStatus.Types.State.Ready, f.Node("n1").Status.State);
        Assert.Equal("10.0.0.7", f.Node("n1").Status.Addr);
        Assert.Equal("host-1", f.Node("n1").Description.Hostname);
    }

    [Fact]
    public async Task A_node_without_a_description_is_ready_all_the_same()
    {
        await using DispatchFixture f = await DispatchFixture.StartedAsync("n1");
        await f.RegisterAsync("n1");
        Assert.Equal(NodeStatus.Types.State.Ready, f.Node("n1").Status.State);
        Assert.Null(f.Node("n1").Description);
    }

    [Fact]
    public async Task This_manager_is_always_listed_with_an_address_that_can_be_reached_and_others_without_one_are_not()
    {
        await using var f = new DispatchFixture();
        await f.AddNodesAsync("n1");
        await f.Store.UpdateAsync(tx =>
        {
            tx.Create(new Node { Id = DispatchFixture.Manager, ManagerStatus = new() { Addr = "0.0.0.0:4242" } });
            tx.Create(new Node { Id = "other", ManagerStatus = new() { Addr = "192.0.2.2:4242" } });
            tx.Create(new Node { Id = "hidden", ManagerStatus = new() { Addr = "0.0.0.0:4242" } });
        });
        await f.StartAsync();

        SessionMessage first = await f.OpenSession("n1").FirstAsync("registration");

        Assert.Equal([("manager", DispatchFixture.Address), ("other", "192.0.2.2:4242")], first.Managers.Select(m => (m.Peer.NodeId, m.Peer.Addr)));
        Assert.All(first.Managers, m => Assert.Equal(10, m.Weight));
    }

    [Fact]
    public async Task A_change_of_managers_root_keys_or_the_node_is_told_at_once_and_anything_else_is_not()
    {
        await using DispatchFixture f = await DispatchFixture.StartedAsync("n1", "n2");
        OpenStream<SessionMessage> stream = f.OpenSession("n1");
        await stream.FirstAsync("registration");

        await f.Store.UpdateAsync(tx => tx.Create(new Node { Id = "m2", ManagerStatus = new() { Addr = "192.0.2.2:4242" } }));
        SessionMessage next = await stream.Messages.NextAsync("a new manager");
        Assert.Equal(2, next.Managers.Count);

        await f.Store.UpdateAsync(tx => tx.Create(new Cluster
        {
            Id = "c",
            Spec = new() { Annotations = new() { Name = "default" } },
            RootCa = new() { CaCert = ByteString.CopyFromUtf8("PEM") },
            NetworkBootstrapKeys = { new EncryptionKey { Subsystem = "networking:gossip" } },
        }));
        next = await stream.Messages.NextAsync("root and keys");
        Assert.Equal("PEM", next.RootCA.ToStringUtf8());
        Assert.Single(next.NetworkBootstrapKeys);

        await f.Store.UpdateAsync(tx => Rename(tx, "n2"));
        await f.Store.UpdateAsync(tx => Rename(tx, "n1"));
        next = await stream.Messages.NextAsync("the node itself");
        Assert.Equal("renamed", next.Node.Spec.Annotations.Name);
        Assert.Equal(0, stream.Messages.Waiting);
    }

    [Fact]
    public async Task A_new_session_of_a_node_ends_the_older_one_and_its_streams()
    {
        await using DispatchFixture f = await DispatchFixture.StartedAsync("n1");
        OpenStream<SessionMessage> old = f.OpenSession("n1");
        string oldId = (await old.FirstAsync("first registration")).SessionId;
        OpenStream<AssignmentsMessage> assignments = f.OpenAssignments("n1", oldId);
        await assignments.FirstAsync("assignments");

        string newId = await f.RegisterAsync("n1");

        Assert.NotEqual(oldId, newId);
        Assert.Equal(StatusCode.InvalidArgument, (await old.EndAsync("the older session ends")).StatusCode);
        Assert.Equal("session invalid", (await assignments.EndAsync("its assignments end")).Detail);
    }

    [Fact]
    public async Task An_agent_that_names_its_session_goes_on_with_it_and_updates_its_description()
    {
        await using DispatchFixture f = await DispatchFixture.StartedAsync("n1");
        string id = await f.RegisterAsync("n1");
        SessionMessage again = await f.OpenSession("n1", new() { SessionId = id, Description = new() { Hostname = "later" } }).FirstAsync("the same session");
        Assert.Equal(id, again.SessionId);
        Assert.Equal("later", f.Node("n1").Description.Hostname);
    }

    [Fact]
    public async Task The_fourth_registration_within_eight_seconds_is_refused_and_a_quiet_node_is_taken_again()
    {
        await using DispatchFixture f = await DispatchFixture.StartedAsync("n1");
        for (int i = 0; i < 3; i++)
        {
            await f.RegisterAsync("n1");
        }
        RpcException refused = await Assert.ThrowsAsync<RpcException>(() => f.RegisterAsync("n1"));
        Assert.Equal(StatusCode.Unavailable, refused.StatusCode);
        Assert.Equal("node n1 exceeded rate limit count of registrations", refused.Status.Detail);

        f.Time.Advance(TimeSpan.FromSeconds(8.1));
        Assert.NotEmpty(await f.RegisterAsync("n1"));
    }

    [Fact]
    public async Task A_node_that_the_cluster_does_not_have_is_not_found()
    {
        await using DispatchFixture f = await DispatchFixture.StartedAsync();
        RpcException refused = await Assert.ThrowsAsync<RpcException>(() => f.RegisterAsync("stranger"));
        Assert.Equal((StatusCode.NotFound, "node not found"), (refused.StatusCode, refused.Status.Detail));
    }

    [Fact]
    public async Task A_removed_node_s_session_ends()
    {
        await using DispatchFixture f = await DispatchFixture.StartedAsync("n1");
        OpenStream<SessionMessage> stream = f.OpenSession("n1");
        await stream.FirstAsync("registration");
        await f.Store.UpdateAsync(tx => tx.Remove<Node>("n1"));
        Assert.Equal(StatusCode.NotFound, (await stream.EndAsync("the session ends")).StatusCode);
    }

    [Fact]
    public async Task A_manager_that_does_not_lead_refuses_and_one_that_stops_leading_ends_its_streams()
    {
        await using var f = new DispatchFixture();
        await f.AddNodesAsync("n1");
        Assert.Equal(StatusCode.Aborted, (await Assert.ThrowsAsync<RpcException>(() => f.RegisterAsync("n1"))).StatusCode);

        await f.StartAsync();
        OpenStream<SessionMessage> stream = f.OpenSession("n1");
        await stream.FirstAsync("registration");
        await f.Dispatcher.StopAsync();
        Assert.Equal((StatusCode.Aborted, "dispatcher is stopped"), (await stream.EndAsync("the stream ends")) is var s ? (s.StatusCode, s.Detail) : default);
    }

    [Fact]
    public async Task An_endless_description_is_refused()
    {
        await using DispatchFixture f = await DispatchFixture.StartedAsync("n1");
        OpenStream<SessionMessage> stream = f.OpenSession("n1", new() { Description = new() { Hostname = new string('x', 300_000) } });
        Assert.Equal(StatusCode.InvalidArgument, (await stream.EndAsync("the refusal")).StatusCode);
    }

    private static void Rename(Store.WriteTransaction tx, string id)
    {
        Node node = tx.Get<Node>(id)!.Clone();
        node.Spec = new() { Annotations = new() { Name = "renamed" } };
        tx.Update(node);
    }
}
