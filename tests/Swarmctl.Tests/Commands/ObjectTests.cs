using System.Text.Json;
using Docker.Swarmkit.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Skep.V1;
using Swarmctl.Tests.Support;

namespace Swarmctl.Tests.Commands;

/// <summary>Lists, summaries and JSON of the objects that SwarmKit's session does not show.</summary>
public sealed class ObjectTests : IAsyncLifetime
{
    private readonly FakeManager _manager = new();

    public async ValueTask InitializeAsync()
    {
        await _manager.StartAsync();
        FakeControl control = _manager.Control.AddNodes().AddCluster();
        Timestamp created = Timestamp.FromDateTimeOffset(RedisCluster.Start.AddMinutes(-5));
        control.AddService(1, "3.0.5", "rt0jblz40w9wdtfkdh6r8bzx8 1 3.0.5 RUNNING RUNNING 4 node-1");
        control.Secrets.Add(new Secret { Id = "secret-1", Meta = new() { CreatedAt = created }, Spec = new() { Annotations = new() { Name = "key", Labels = { ["a"] = "b" } } } });
        control.Configs.Add(new Config { Id = "config-1", Meta = new() { CreatedAt = created }, Spec = new() { Annotations = new() { Name = "conf" }, Data = ByteString.CopyFromUtf8("x") } });
        control.Networks.Add(new Network
        {
            Id = "network-1",
            Spec = new() { Annotations = new() { Name = "back" } },
            DriverState = new() { Name = "overlay" },
            Ipam = new() { Driver = new() { Name = "default" }, Configs = { new IPAMConfig { Subnet = "10.1.0.0/24", Gateway = "10.1.0.1" } } },
        });
    }

    public ValueTask DisposeAsync() => _manager.DisposeAsync();

    [Theory]
    [InlineData("secret ls", "ID          Name    Driver    Created\n--          ----    ------    -------\nsecret-1    key               5 minutes ago\n")]
    [InlineData("secret ls -q", "secret-1\n")]
    [InlineData("config ls", "ID          Name    Created\n--          ----    -------\nconfig-1    conf    5 minutes ago\n")]
    [InlineData("network ls", "ID         Name  Driver\n--         ----  ------\nnetwork-1  back  overlay\n")]
    [InlineData("secret rm key", "secret-1\n")]
    [InlineData("config rm conf", "config-1\n")]
    [InlineData("network rm back", "network-1\n")]
    [InlineData("service rm redis", RedisCluster.ServiceId + "\n")]
    [InlineData("task rm rt0j", "rt0jblz40w9wdtfkdh6r8bzx8\n")]
    [InlineData("node rm -f node-3", "al9dj6jr9a89vgl7d8ihs6i7m\n")]
    [InlineData("network create --name n --driver overlay --subnet 10.2.0.0/16 --gateway 10.2.0.1", "new-network\n")]
    [InlineData("cluster update default --taskhistory 3 --heartbeatperiod 10s", "qernf2v2gp1dsbpi9qaw1b0sh\n")]
    [InlineData("cluster update default --rotate-join-token worker", "SWMTKN-1-3fnuhdbqznavj2znk48232lqbauvqo33251bpt8wddg9qw0bdl-31n55h9xy3nxsbi24bwqet3xh\n")]
    [InlineData("version", "swarmctl skep 0.1.0\n")]
    public async Task Writes(string command, string output) => Assert.Equal(output, (await RunAsync(command)).Succeeds().Output);

    [Fact]
    public async Task A_node_that_has_its_certificate_but_was_never_here_is_listed_as_unknown()
    {
        _manager.Control.Nodes.Add(new Node { Id = "zz-fresh", Spec = new() { Membership = NodeSpec.Types.Membership.Accepted } });

        string list = (await RunAsync("node ls")).Succeeds().Output;

        Assert.Matches(@"zz-fresh +ACCEPTED +UNKNOWN +ACTIVE", list);
    }

    [Theory]
    [InlineData("cluster ls")]
    [InlineData("cluster inspect default")]
    [InlineData("node ls")]
    [InlineData("node inspect node-2")]
    [InlineData("service ls")]
    [InlineData("service inspect redis")]
    [InlineData("task ls")]
    [InlineData("task inspect rt0jblz40w9wdtfkdh6r8bzx8")]
    [InlineData("secret ls")]
    [InlineData("secret inspect key")]
    [InlineData("config ls")]
    [InlineData("config inspect conf")]
    [InlineData("network ls")]
    [InlineData("network inspect back")]
    [InlineData("task why rt0jblz40w9wdtfkdh6r8bzx8")]
    [InlineData("service why redis")]
    public async Task Every_object_is_to_be_had_as_JSON(string command)
    {
        _manager.Why.Task = new() { TaskId = "t" };
        _manager.Why.Service = new() { ServiceId = "s" };
        using JsonDocument json = JsonDocument.Parse((await RunAsync(command + " --format json")).Succeeds().Output);
        JsonElement one = json.RootElement.ValueKind == JsonValueKind.Array ? json.RootElement[0] : json.RootElement;
        Assert.True(one.TryGetProperty("id", out _) || one.TryGetProperty("task_id", out _) || one.TryGetProperty("service_id", out _));
    }

    [Fact]
    public async Task A_runtime_that_nobody_here_knows_is_JSON_too()
    {
        _manager.Control.Services[0].Spec.Task = new() { Generic = new() { Kind = "jail", Payload = new() { TypeUrl = "example.org/a.Jail", Value = ByteString.CopyFromUtf8("x") } } };
        Assert.Contains("example.org/a.Jail", (await RunAsync("service inspect redis --format json")).Succeeds().Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ids_stay_ids_where_names_are_not_wanted() =>
        Assert.Contains($"{RedisCluster.ServiceId}.1  RUNNING        RUNNING 4 seconds ago  v8v9zkajvhc273lqnkomel4qa", (await RunAsync("task ls -n")).Succeeds().Output, StringComparison.Ordinal);

    [Fact]
    public async Task An_unlock_key_is_shown_only_where_managers_are_locked()
    {
        (await RunAsync("cluster unlock-key default")).Fails("Managers not auto-locked");
        _manager.Ca.UnlockKey = ByteString.CopyFrom(new byte[32]);
        Assert.Equal("SWMKEY-1-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n", (await RunAsync("cluster unlock-key default")).Succeeds().Output);
    }

    [Fact]
    public async Task Logs_say_which_task_and_node_a_line_is_from()
    {
        var context = new LogContext { TaskId = "rt0jblz40w9wdtfkdh6r8bzx8", NodeId = "v8v9zkajvhc273lqnkomel4qa" };
        _manager.Logs.Messages.Add(new LogMessage { Context = context, Stream = LogStream.Stdout, Data = ByteString.CopyFromUtf8("hello\n") });
        _manager.Logs.Messages.Add(new LogMessage { Context = context, Stream = LogStream.Stderr, Data = ByteString.CopyFromUtf8("oops\n") });
        CommandResult result = await RunAsync("service logs -f --tail 2 redis");
        Assert.Equal((0, "redis.1@node-1❯ hello\n", "redis.1@node-1❯ oops\n"), (result.ExitCode, result.Output, result.Errors));
        Assert.Equal((true, -3L), (_manager.Logs.Asked!.Options.Follow, _manager.Logs.Asked.Options.Tail));
    }

    [Fact]
    public async Task Why_says_what_waits_and_what_would_mend_it()
    {
        var reason = new Reason
        {
            Kind = Reason.Types.Kind.NoNode,
            Summary = "no node can run it",
            Filters = { new FilterExplanation { Filter = "resources", Nodes = 3, Summary = "asks 64 GiB of memory; the largest node has 24 GiB (node-2)", Mend = "ask for at most 24 GiB" } },
        };
        var task = new TaskExplanation { Name = "redis.1", TaskId = "t1", State = TaskState.Pending, DesiredState = TaskState.Running, Reasons = { reason } };
        _manager.Why.Task = task;
        _manager.Why.Service = new() { Name = "redis", Mode = "replicated", WantedTasks = 2, RunningTasks = 1, Tasks = { task }, MoreTasks = 3 };
        const string Explained = """
            redis.1 (t1): PENDING, wanted RUNNING
              no node can run it
                3 nodes: asks 64 GiB of memory; the largest node has 24 GiB (node-2)
                  → ask for at most 24 GiB

            """;
        Assert.Equal(Explained, (await RunAsync("task why t1")).Succeeds().Output);
        string indented = "  " + Explained.TrimEnd().Replace("\n", "\n  ", StringComparison.Ordinal);
        Assert.Equal($"redis (replicated): 1 of 2 tasks run\n\n{indented}\n\n  and 3 more tasks that are not as desired\n", (await RunAsync("service why redis")).Succeeds().Output);
    }

    [Fact]
    public async Task Why_says_nothing_twice()
    {
        const string Summary = "asks 64 GiB of memory; the largest node has 24 GiB (node-2)";
        const string Mend = "Lower --memory-reservation.";
        var filter = new FilterExplanation { Filter = "resources", Nodes = 3, Summary = Summary, Mend = Mend };
        _manager.Why.Task = new() { Name = "redis.1", TaskId = "t1", Reasons = { new Reason { Summary = "redis.1: " + Summary, Mend = Mend, Filters = { filter } } } };
        Assert.Equal($"redis.1 (t1): NEW, wanted NEW\n  redis.1: {Summary}\n    → {Mend}\n", (await RunAsync("task why t1")).Succeeds().Output);
    }

    private Task<CommandResult> RunAsync(string command) => _manager.RunAsync(command.Split(' '));
}
