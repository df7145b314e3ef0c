using Docker.Swarmkit.V1;
using Grpc.Core;
using Skep.Manager.Tests.Support;
using static Skep.Manager.Tests.Logs.LogFixture;

namespace Skep.Manager.Tests.Logs;

public sealed class LogBrokerTests
{
    private static readonly LogSelector Service = new() { ServiceIds = { "service" } };
    private static readonly LogSubscriptionOptions Follow = new() { Follow = true };

    [Fact]
    public async Task A_client_s_wish_reaches_the_nodes_with_its_tasks_and_what_they_publish_reaches_the_client()
    {
        await using LogFixture f = await StartedAsync();
        await f.AddTaskAsync("t1", "n1");
        await f.AddTaskAsync("t2", "n2");
        LogStream<SubscriptionMessage>[] agents = [f.Listen("n1"), f.Listen("n2")];
        var options = new LogSubscriptionOptions { Tail = -11, Streams = { LogStream.Stderr }, Since = new() { Seconds = 5 } };
        LogStream<SubscribeLogsMessage> client = f.Subscribe(Service, options);

        foreach (LogStream<SubscriptionMessage> agent in agents)
        {
            SubscriptionMessage wish = await agent.Messages.NextAsync("the wish");
            Assert.Equal(Service, wish.Selector);
            Assert.Equal(options, wish.Options);
            string nodeId = agent == agents[0] ? "n1" : "n2";
            LogStream<PublishLogsMessage> publisher = f.Publish(nodeId);
            await publisher.SendAsync(Line(wish.Id, nodeId, "from " + nodeId));
            await publisher.SendAsync(new() { SubscriptionId = wish.Id, Close = true });
            await publisher.Ended.Within("the agent's stream ends");
        }

        await client.Ended.Within("the client's stream ends when both have sent all");
        Assert.Equal(["from n1", "from n2"], Lines(client));
    }

    [Fact]
    public async Task An_agent_that_listens_later_gets_the_wishes_that_are_open_and_hears_when_they_are_closed()
    {
        await using LogFixture f = await StartedAsync();
        await f.AddTaskAsync("t1", "n1");
        LogStream<SubscribeLogsMessage> client = f.Subscribe(Service, Follow);
        LogStream<SubscriptionMessage> agent = f.Listen("n1");
        SubscriptionMessage wish = await agent.Messages.NextAsync("the open wish");

        client.Call.Hang();
        await client.Ended.Within("the client leaves");
        SubscriptionMessage close = await agent.Messages.NextAsync("the end of the wish");
        Assert.Equal((wish.Id, true), (close.Id, close.Close));

        LogStream<PublishLogsMessage> publisher = f.Publish("n1");
        await publisher.SendAsync(Line(wish.Id, "n1", "too late"));
        Assert.Equal((StatusCode.NotFound, "unknown subscription ID"), await publisher.EndAsync("publishing is refused") is var s ? (s.StatusCode, s.Detail) : default);
    }

    [Fact]
    public async Task A_followed_service_s_new_tasks_are_picked_up_on_whatever_node_they_come_to()
    {
        await using LogFixture f = await StartedAsync();
        LogStream<SubscriptionMessage> agent = f.Listen("n9");
        LogStream<SubscribeLogsMessage> client = f.Subscribe(Service, Follow);
        await f.AddTaskAsync("new", "", TaskState.Pending);
        await f.Store.UpdateAsync(tx =>
        {
            SwarmTask task = tx.Get<SwarmTask>("new")!.Clone();
            task.NodeId = "n9";
            tx.Update(task);
        });
        SubscriptionMessage wish = await agent.Messages.NextAsync("the new task's node is asked");
        LogStream<PublishLogsMessage> publisher = f.Publish("n9");
        await publisher.SendAsync(Line(wish.Id, "n9", "hello"));
        Assert.Equal("hello", (await client.Messages.NextAsync("its log")).Messages.Single().Data.ToStringUtf8());
        Assert.False(client.Ended.IsCompleted);
    }

    [Fact]
    public async Task Nodes_without_an_agent_and_tasks_without_a_node_are_named_at_the_end()
    {
        await using LogFixture f = await StartedAsync();
        await f.AddTaskAsync("placed", "absent");
        await f.AddTaskAsync("unplaced", "", TaskState.Pending);
        Status end = await f.Subscribe(new() { TaskIds = { "placed", "unplaced" } }).EndAsync("the end");
        Assert.Equal(StatusCode.Unknown, end.StatusCode);
        Assert.Equal(
            "warning: incomplete log stream. some logs could not be retrieved for the following reasons: node absent is not available, task unplaced has not been scheduled",
            end.Detail);
    }

    [Fact]
    public async Task A_node_that_is_lost_while_it_is_waited_for_is_named_at_the_end()
    {
        await using LogFixture f = await StartedAsync();
        await f.Store.UpdateAsync(tx => tx.Create(new Node { Id = "silent", Status = new() { State = NodeStatus.Types.State.Ready } }));
        await f.AddTaskAsync("t1", "leaves");
        await f.AddTaskAsync("t2", "silent");
        LogStream<SubscriptionMessage> leaving = f.Listen("leaves");
        f.Listen("silent");
        LogStream<SubscribeLogsMessage> client = f.Subscribe(Service);
        await leaving.Messages.NextAsync("the wish");

        leaving.Call.Hang();
        await leaving.Ended.Within("the agent leaves");
        await f.Store.UpdateAsync(tx =>
        {
            Node node = tx.Get<Node>("silent")!.Clone();
            node.Status.State = NodeStatus.Types.State.Down;
            tx.Update(node);
        });
        Status end = await client.EndAsync("the end");
        Assert.EndsWith("reasons: node leaves disconnected unexpectedly, node silent is not available", end.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_following_tasks_of_a_service_that_never_ran_are_not_waited_for()
    {
        await using LogFixture f = await StartedAsync();
        await f.AddTaskAsync("t1", "", TaskState.Pending);
        await f.Subscribe(Service).Ended.Within("the end");
    }

    [Fact]
    public async Task A_selector_is_needed_and_must_select()
    {
        await using LogFixture f = await StartedAsync();
        Assert.Equal("log selector must not be empty", (await f.Subscribe(new()).EndAsync("an empty one")).Detail);
        Assert.Equal("log selector must be provided", (await f.Subscribe(null!).EndAsync("none")).Detail);
    }

    [Fact]
    public async Task An_agent_cannot_publish_in_another_s_name_nor_for_two_subscriptions_at_once()
    {
        await using LogFixture f = await StartedAsync();
        await f.AddTaskAsync("t1", "n1");
        LogStream<SubscriptionMessage> agent = f.Listen("n1");
        f.Subscribe(Service, Follow);
        f.Subscribe(Service, Follow);
        string first = (await agent.Messages.NextAsync("the first wish")).Id;
        string second = (await agent.Messages.NextAsync("the second wish")).Id;

        LogStream<PublishLogsMessage> liar = f.Publish("n1");
        await liar.SendAsync(Line(first, "n2", "it was them"));
        Assert.Equal((StatusCode.PermissionDenied, "invalid NodeID: expected=n1;received=n2"), await liar.EndAsync("refused") is var s ? (s.StatusCode, s.Detail) : default);

        LogStream<PublishLogsMessage> mixed = f.Publish("n1");
        await mixed.SendAsync(Line(first, "n1", "a"));
        await mixed.SendAsync(Line(second, "n1", "b"));
        Assert.Equal("different subscription IDs in the same session", (await mixed.EndAsync("refused")).Detail);

        LogStream<PublishLogsMessage> nameless = f.Publish("n1");
        await nameless.SendAsync(Line("", "n1", "a"));
        Assert.Equal("missing subscription ID", (await nameless.EndAsync("refused")).Detail);
    }

    [Fact]
    public async Task A_client_that_does_not_read_holds_its_agents_back_and_loses_nothing()
    {
        await using LogFixture f = await StartedAsync();
        await f.AddTaskAsync("t1", "n1");
        LogStream<SubscriptionMessage> agent = f.Listen("n1");
        LogStream<SubscribeLogsMessage> client = f.Subscribe(Service, capacity: 1);
        string id = (await agent.Messages.NextAsync("the wish")).Id;
        LogStream<PublishLogsMessage> publisher = f.Publish("n1");
        Task sending = Task.Run(async () =>
        {
            for (int i = 0; i < 200; i++)
            {
                await publisher.SendAsync(Line(id, "n1", $"{i}"));
            }
            await publisher.SendAsync(new() { SubscriptionId = id, Close = true });
        });

        var lines = new List<string>();
        Assert.False(sending.IsCompleted, "the agent cannot run ahead of the client");
        while (lines.Count < 200)
        {
            SubscribeLogsMessage message = await client.Messages.NextAsync($"line {lines.Count}");
            lines.AddRange(message.Messages.Select(m => m.Data.ToStringUtf8()));
        }
        await sending.Within("the agent has sent all");
        await client.Ended.Within("the end");
        Assert.Equal(Enumerable.Range(0, 200).Select(i => $"{i}"), lines);
    }

    [Fact]
    public async Task A_broker_that_does_not_run_refuses_and_one_that_stops_says_so()
    {
        await using LogFixture f = await StartedAsync();
        await f.AddTaskAsync("t1", "n1");
        LogStream<SubscribeLogsMessage> client = f.Subscribe(Service, Follow);
        await f.Hub.StopAsync();
        Assert.Equal(StatusCode.Unavailable, (await client.EndAsync("the client is told")).StatusCode);
        Assert.Equal("broker is not running", (await f.Subscribe(Service).EndAsync("refused")).Detail);
    }

    private static IEnumerable<string> Lines(LogStream<SubscribeLogsMessage> client)
    {
        while (client.Messages.TryNext(out SubscribeLogsMessage? message))
        {
            foreach (LogMessage log in message!.Messages)
            {
                yield return log.Data.ToStringUtf8();
            }
        }
    }
}
