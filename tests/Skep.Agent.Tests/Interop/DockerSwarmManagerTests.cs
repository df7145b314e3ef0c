using System.Text.Json;
using Docker.Swarmkit.V1;
using Microsoft.Extensions.Logging.Abstractions;
using Skep.Agent.Executors.Docker;
using Skep.Agent.Session;
using Skep.Agent.Tests.Executors.Docker;
using Skep.Identity;
using Skep.Identity.Files;
using Skep.Identity.Joining;
using Skep.Identity.Keys;
using Skep.Identity.Tls;
using Skep.Identity.Tokens;
using Skep.TestEngine;

namespace Skep.Agent.Tests.Interop;

/// <summary>The agent as a worker of a real Docker Swarm.</summary>
public sealed class DockerSwarmManagerTests(EngineFixture fixture)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task The_agent_joins_a_Docker_Swarm_runs_its_tasks_sends_their_logs_and_stops_them()
    {
        var engine = await fixture.GetAsync();
        using var net = NetworkNamespace.Create();
        await using var docker = await DockerEngine.StartAsync(net.Wrapper);
        var initialized = await docker.SendAsync(HttpMethod.Post, "/swarm/init", new { ListenAddr = $"{net.Inside}:2377", AdvertiseAddr = net.Inside });
        Assert.Equal(200, initialized);
        var token = (await docker.GetAsync("/swarm")).GetProperty("JoinTokens").GetProperty("Worker").GetString()!;

        var state = new StateDirectory(Directory.CreateTempSubdirectory("skep-agent-swarm-").FullName);
        state.Create();
        var remotes = new Remotes([new KnownManager("", $"{net.Inside}:2377")], Random.Shared, m => KnownManagers.Save(state, m));
        var keys = new NodeKeyFile(state, TimeProvider.System);
        var certificates = new NodeCertificateClient(
            state, keys, () => remotes.Select()?.Address, TimeProvider.System, NullLogger<NodeCertificateClient>.Instance);
        using var deadline = new CancellationTokenSource(Patience);
        var source = new NodeIdentitySource(await certificates.JoinAsync(JoinToken.Parse(token), NodeSpec.Types.Availability.Active, deadline.Token));

        await using var executor = new DockerExecutor(
            new DockerExecutorOptions { Socket = engine.Socket, StateDirectory = state.Root }, NullLogger<DockerExecutor>.Instance);
        var agent = new NodeAgent(
            new AgentOptions
            {
                Folder = Path.Combine(state.Root, "worker"),
                Remotes = remotes,
                OpenChannel = manager => ManagerChannel.As(source, manager.Address),
                TlsInfo = () => source.Current.TlsInfo,
                Hostname = "skep-worker",
            },
            executor,
            NullLogger<NodeAgent>.Instance);
        using var stopping = new CancellationTokenSource();
        var running = agent.RunAsync(stopping.Token);
        await agent.Ready.WaitAsync(Patience);

        var created = await docker.SendAsync(HttpMethod.Post, "/services/create", new
        {
            Name = "swarmweb",
            Mode = new { Replicated = new { Replicas = 2 } },
            TaskTemplate = new
            {
                ContainerSpec = new { Image = "busybox", Command = new[] { "sh", "-c", "echo hello from $WHO; trap 'exit 0' TERM; while :; do sleep 0.1; done" }, Env = new[] { "WHO={{.Node.Hostname}}" } },
                Placement = new { Constraints = new[] { "node.hostname==skep-worker" } },
            },
        });
        Assert.Equal(201, created);
        await UntilAsync("both tasks RUNNING", async () => (await TasksAsync(docker)).Count(t => StateOf(t) == "running") == 2);

        var containers = (await engine.ContainersAsync()).Where(c => c.GetProperty("Labels").GetProperty("com.docker.swarm.service.name").GetString() == "swarmweb").ToList();
        Assert.Equal(2, containers.Count);
        var node = Assert.Single((await docker.GetAsync("/nodes")).EnumerateArray(), n => n.GetProperty("Description").GetProperty("Hostname").GetString() == "skep-worker");
        Assert.Equal("ready", node.GetProperty("Status").GetProperty("State").GetString());
        Assert.Contains(KnownManagers.Load(state), m => m.Address == $"{net.Inside}:2377" && m.NodeId.Length > 0);

        await UntilAsync("logs through the manager", async () =>
            (await docker.TextAsync("/services/swarmweb/logs?stdout=1")).Contains("hello from skep-worker", StringComparison.Ordinal));

        // One container killed by hand is replaced.
        await engine.SendAsync(HttpMethod.Post, $"/containers/{containers[0].GetProperty("Id").GetString()}/kill");
        await UntilAsync("the killed task FAILED and its replacement RUNNING", async () =>
        {
            var tasks = await TasksAsync(docker);
            return tasks.Any(t => StateOf(t) == "failed") && tasks.Count(t => StateOf(t) == "running") == 2;
        });

        await docker.SendAsync(HttpMethod.Delete, "/services/swarmweb");
        await UntilAsync("all containers removed", async () => !(await engine.ContainersAsync()).Any(c =>
            c.GetProperty("Labels").TryGetProperty("com.docker.swarm.service.name", out var name) && name.GetString() == "swarmweb"));

        await stopping.CancelAsync();
        await running.WaitAsync(Patience);
    }

    private static async Task<List<JsonElement>> TasksAsync(DockerEngine docker) => [.. (await docker.GetAsync("/tasks")).EnumerateArray()];

    private static string? StateOf(JsonElement task) => task.GetProperty("Status").GetProperty("State").GetString();

    private static async Task UntilAsync(string what, Func<Task<bool>> holds)
    {
        using var deadline = new CancellationTokenSource(Patience);
        using var look = new PeriodicTimer(TimeSpan.FromMilliseconds(200));
        while (!await holds())
        {
            try
            {
                await look.WaitForNextTickAsync(deadline.Token);
            }
            catch (OperationCanceledException)
            {
                Assert.Fail($"not within {Patience}: {what}");
            }
        }
    }
}
