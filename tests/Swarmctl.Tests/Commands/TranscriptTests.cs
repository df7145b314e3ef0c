using Docker.Swarmkit.V1;
using Google.Protobuf.WellKnownTypes;
using Swarmctl.Tests.Support;

namespace Swarmctl.Tests.Commands;

/// <summary>What commands write is what SwarmKit's wrote of the same objects, character by character.</summary>
public sealed class TranscriptTests : IAsyncLifetime
{
    private const string Six = """
        rt0jblz40w9wdtfkdh6r8bzx8 1 3.0.5 RUNNING RUNNING 11 node-1
        m6duo615pyhr2giusuo9las34 2 3.0.5 RUNNING RUNNING 4 node-2
        lnntt6zvvnlsnd2c2c05i4ggx 3 3.0.5 RUNNING RUNNING 4 node-1
        p99zw31cmm1349rni3jhwmjee 4 3.0.5 RUNNING RUNNING 4 node-3
        115ztjqxzidfaer1m96yx5av7 5 3.0.5 RUNNING RUNNING 4 node-3
        wa5z9z7xt1cb206416kbccpf9 6 3.0.5 RUNNING RUNNING 5 node-2
        """;

    private const string UpdateBegins = """
        rt0jblz40w9wdtfkdh6r8bzx8 1 3.0.5 RUNNING RUNNING 12 node-1
        m6duo615pyhr2giusuo9las34 2 3.0.5 RUNNING RUNNING 5 node-2
        lnntt6zvvnlsnd2c2c05i4ggx 3 3.0.5 RUNNING RUNNING 5 node-1
        12g58pudohdh68eldmx6wwpxp 4 3.0.6 READY READY 0 node-3
        p99zw31cmm1349rni3jhwmjee 4 3.0.5 SHUTDOWN RUNNING 5 node-3
        115ztjqxzidfaer1m96yx5av7 5 3.0.5 RUNNING RUNNING 5 node-3
        wa5z9z7xt1cb206416kbccpf9 6 3.0.5 RUNNING RUNNING 6 node-2
        """;

    private const string UpdateGoesOn = """
        g0tnl8qeps9dkson3ttfm59gt 1 3.0.6 RUNNING RUNNING 9 node-1
        fredloqzq7rqqlczkntm1pkii 2 3.0.6 RUNNING RUNNING 2 node-2
        w6ld0d6r51lqbww51bqppgzg6 3 3.0.6 RUNNING RUNNING 3 node-1
        12g58pudohdh68eldmx6wwpxp 4 3.0.6 RUNNING RUNNING 11 node-3
        wq1qrov2qrcfa2dtpq0rg8k7v 5 3.0.6 RUNNING RUNNING 5 node-3
        4riratwphdttk3vycqmvow7yt 6 3.0.6 RUNNING RUNNING 7 node-2
        """;

    private const string SecondUpdate = """
        g0tnl8qeps9dkson3ttfm59gt 1 3.0.6 RUNNING RUNNING 12 node-1
        fredloqzq7rqqlczkntm1pkii 2 3.0.6 RUNNING RUNNING 5 node-2
        w6ld0d6r51lqbww51bqppgzg6 3 3.0.6 RUNNING RUNNING 7 node-1
        mb6s5b3pj57eteojtdqy7p5qg 4 3.0.7 RUNNING RUNNING 1 node-3
        l6swyf5a2hj1jco9p1m87580t 5 3.0.7 RUNNING RUNNING 1 node-3
        4riratwphdttk3vycqmvow7yt 6 3.0.6 RUNNING RUNNING 10 node-2
        """;

    private const string History = """
        dm9q5oamai18wukmlgy4ya2bd 1 3.0.7 RUNNING RUNNING 12 node-1
        g0tnl8qeps9dkson3ttfm59gt 1 3.0.6 SHUTDOWN SHUTDOWN 13 node-1
        rt0jblz40w9wdtfkdh6r8bzx8 1 3.0.5 SHUTDOWN SHUTDOWN 47 node-1
        x13kns6tt8o7itpc3gologlh4 2 3.0.7 RUNNING RUNNING 24 node-2
        fredloqzq7rqqlczkntm1pkii 2 3.0.6 SHUTDOWN SHUTDOWN 24 node-2
        m6duo615pyhr2giusuo9las34 2 3.0.5 SHUTDOWN SHUTDOWN 40 node-2
        l86y0odgswcn9eo6eqdc1vb9l 3 3.0.7 RUNNING RUNNING 12 node-1
        w6ld0d6r51lqbww51bqppgzg6 3 3.0.6 SHUTDOWN SHUTDOWN 13 node-1
        lnntt6zvvnlsnd2c2c05i4ggx 3 3.0.5 SHUTDOWN SHUTDOWN 42 node-1
        mb6s5b3pj57eteojtdqy7p5qg 4 3.0.7 RUNNING RUNNING 36 node-3
        12g58pudohdh68eldmx6wwpxp 4 3.0.6 SHUTDOWN SHUTDOWN 36 node-3
        p99zw31cmm1349rni3jhwmjee 4 3.0.5 SHUTDOWN SHUTDOWN 49 node-3
        l6swyf5a2hj1jco9p1m87580t 5 3.0.7 RUNNING RUNNING 36 node-3
        wq1qrov2qrcfa2dtpq0rg8k7v 5 3.0.6 SHUTDOWN SHUTDOWN 36 node-3
        115ztjqxzidfaer1m96yx5av7 5 3.0.5 SHUTDOWN SHUTDOWN 44 node-3
        gc99rt99zdc5x7eilz783jkpz 6 3.0.7 RUNNING RUNNING 24 node-2
        4riratwphdttk3vycqmvow7yt 6 3.0.6 SHUTDOWN SHUTDOWN 24 node-2
        wa5z9z7xt1cb206416kbccpf9 6 3.0.5 SHUTDOWN SHUTDOWN 46 node-2
        """;

    private const string Drained = """
        u6i7bfo6gfsqjt61u61zunice 1 3.0.7 RUNNING RUNNING 1 node-2
        x13kns6tt8o7itpc3gologlh4 2 3.0.7 RUNNING RUNNING 28 node-2
        ec5sgw9o9mxx796lxzesodzsd 3 3.0.7 RUNNING RUNNING 2 node-3
        mb6s5b3pj57eteojtdqy7p5qg 4 3.0.7 RUNNING RUNNING 40 node-3
        l6swyf5a2hj1jco9p1m87580t 5 3.0.7 RUNNING RUNNING 40 node-3
        gc99rt99zdc5x7eilz783jkpz 6 3.0.7 RUNNING RUNNING 28 node-2
        """;

    private readonly FakeManager _manager = new();

    public async ValueTask InitializeAsync()
    {
        await _manager.StartAsync();
        _manager.Control.AddNodes().AddCluster();
    }

    public ValueTask DisposeAsync() => _manager.DisposeAsync();

    [Theory]
    [InlineData("cluster inspect default", "cluster-inspect")]
    [InlineData("cluster ls", "cluster-ls")]
    [InlineData("node ls", "node-ls")]
    [InlineData("node ls -q", "node-ls-quiet")]
    [InlineData("node inspect node-2", "node-inspect")]
    public Task A_cluster_and_its_nodes(string command, string golden) => MatchesAsync(command, golden);

    [Theory]
    [InlineData("service ls", "service-ls-starting", "PREPARING")]
    [InlineData("service ls", "service-ls", "RUNNING")]
    [InlineData("service inspect redis", "service-inspect-one", "RUNNING")]
    public async Task A_service_of_one_task(string command, string golden, string state)
    {
        _manager.Control.AddService(1, "3.0.5", $"rt0jblz40w9wdtfkdh6r8bzx8 1 3.0.5 RUNNING {state} 4 node-1");
        await MatchesAsync(command, golden);
    }

    [Fact]
    public async Task A_service_of_six_tasks()
    {
        _manager.Control.AddService(6, "3.0.5", Six);
        await MatchesAsync("service inspect redis", "service-inspect-six");
    }

    [Theory]
    [InlineData(UpdateBegins, "3.0.6", 1, "service-inspect-update-begins")]
    [InlineData(UpdateGoesOn, "3.0.6", 13, "service-inspect-update-goes-on")]
    [InlineData(SecondUpdate, "3.0.7", 3, "service-inspect-second-update")]
    [InlineData(History, "3.0.7", 38, "service-inspect-second-update-late")]
    [InlineData(History, "3.0.7", 38, "service-inspect-all", "--all")]
    [InlineData(Drained, "3.0.7", 42, "service-inspect-after-drain")]
    public async Task A_service_that_is_updated(string tasks, string tag, int secondsAgo, string golden, string flag = "")
    {
        _manager.Control.AddService(6, tag, tasks).UpdateStatus = RedisCluster.Updating(secondsAgo);
        await MatchesAsync($"service inspect redis {flag}".TrimEnd(), golden);
    }

    [Fact]
    public async Task Tasks_that_are_wanted_running()
    {
        _manager.Control.AddService(6, "3.0.7", History);
        await MatchesAsync("task ls", "task-ls");
    }

    [Fact]
    public async Task Tasks_that_were_are_shown_with_all()
    {
        _manager.Control.AddService(6, "3.0.7", History);
        CommandResult result = (await _manager.RunAsync("task", "ls", "--all")).Succeeds();
        string[] lines = result.Output.Split('\n');
        Assert.Equal(20 + 1, lines.Length);
        GoldenFile.Matches("task-ls-all-head", string.Join('\n', lines[..8]) + "\n");
    }

    [Fact]
    public async Task A_task_and_its_parents()
    {
        _manager.Control.AddService(6, "3.0.7", History.Replace("SHUTDOWN 47", "SHUTDOWN 48", StringComparison.Ordinal));
        Docker.Swarmkit.V1.TaskStatus status = _manager.Control.Tasks[0].Status;
        status.Message = "started";
        status.Timestamp = new Timestamp { Seconds = RedisCluster.Start.ToUnixTimeSeconds() - 13, Nanos = 440_172_217 };
        status.Container = new() { ContainerId = "1ec73372befb90b377266e894615482a10d987aaead3189831f86f543ef47708", Pid = 17281 };
        await MatchesAsync("task inspect dm9q5oamai18wukmlgy4ya2bd", "task-inspect");
    }

    [Fact]
    public async Task A_node_is_drained_and_activated_again()
    {
        Assert.Equal("", (await _manager.RunAsync("node", "drain", "node-1")).Succeeds().Output);
        await MatchesAsync("node ls", "node-ls-drained");
        Assert.Equal("", (await _manager.RunAsync("node", "activate", "node-1")).Succeeds().Output);
        await MatchesAsync("node ls", "node-ls");
        (await _manager.RunAsync("node", "activate", "node-1")).Fails("node attribute was already set to the requested value");
    }

    [Fact]
    public async Task A_service_is_created_and_updated_by_its_name()
    {
        Assert.Equal(RedisCluster.ServiceId + "\n", (await _manager.RunAsync("service", "create", "--name", "redis", "--image", "redis:3.0.5")).Succeeds().Output);
        _manager.Control.AddService(1, "3.0.5", "");
        Assert.Equal(RedisCluster.ServiceId + "\n", (await _manager.RunAsync("service", "update", "redis", "--replicas", "6")).Succeeds().Output);
        var update = Assert.IsType<UpdateServiceRequest>(_manager.Control.Changes[^1]);
        Assert.Equal((6UL, 40UL), (update.Spec.Replicated.Replicas, update.ServiceVersion.Index));
    }

    private async Task MatchesAsync(string command, string golden) =>
        GoldenFile.Matches(golden, (await _manager.RunAsync(command.Split(' '))).Succeeds().Output);
}
