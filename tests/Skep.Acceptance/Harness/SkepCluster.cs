using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Docker.Swarmkit.V1;
using Grpc.Net.Client;

namespace Skep.Acceptance.Harness;

/// <summary>A cluster of real processes in a folder of its own, with all of which it leaves nothing behind.</summary>
internal sealed partial class SkepCluster : IAsyncDisposable
{
    private static readonly ConcurrentDictionary<int, bool> Given = new();
    private readonly List<Daemon> daemons = [];
    private readonly Dictionary<string, GrpcChannel> channels = [];
    private bool diedWell = true;

    /// <param name="host">Address of this machine that the manager listens on.</param>
    public SkepCluster(string host = "127.0.0.1")
    {
        Programs.Need();
        Folder = Directory.CreateTempSubdirectory("skep-accept-").FullName;
        Socket = Path.Combine(Folder, "manager", "swarm.sock");
        Address = $"{host}:{FreePort()}";
    }

    public string Folder { get; }

    /// <summary>Control socket of the manager that is asked; node-1's unless a test asks another.</summary>
    public string Socket { get; private set; }

    /// <summary>Where node-1 listens.</summary>
    public string Address { get; }

    public Control.ControlClient Control => ControlAt(Socket);

    public Daemon Manager => daemons[0];

    public IReadOnlyList<Daemon> Daemons => daemons;

    public static GrpcChannel ChannelTo(string socket) => GrpcChannel.ForAddress("http://localhost", new GrpcChannelOptions
    {
        DisposeHttpClient = true,
        HttpHandler = new SocketsHttpHandler
        {
            ConnectCallback = async (_, ct) =>
            {
                var unix = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await unix.ConnectAsync(new UnixDomainSocketEndPoint(socket), ct);
                return new NetworkStream(unix, ownsSocket: true);
            },
        },
    });

    /// <summary>Founds a cluster with one manager, node-1, and as many workers beside it.</summary>
    public static async Task<SkepCluster> StartAsync(int workers, string heartbeat = "5s", params string[] flags)
    {
        var cluster = new SkepCluster();
        await cluster.FoundAsync(flags);
        try
        {
            if (heartbeat != "5s")
            {
                (await cluster.CtlAsync("cluster", "update", "default", "--heartbeatperiod", heartbeat)).Ok.ToString();
            }
            string token = await cluster.WorkerTokenAsync();
            for (int i = 2; i < workers + 2; i++)
            {
                cluster.Join($"node-{i}", token, flags);
            }
            await cluster.ReadyAsync(workers + 1);
            return cluster;
        }
        catch
        {
            cluster.diedWell = false;
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts the manager, node-1.</summary>
    public async Task FoundAsync(params string[] flags)
    {
        try
        {
            Add("node-1", ["--listen-control-api", Socket, "--listen-remote-api", Address, .. flags]).Start();
            await AnswersAsync();
        }
        catch
        {
            diedWell = false;
            await DisposeAsync();
            throw;
        }
    }

    public void Ask(Daemon manager) => Socket = manager.Socket;

    public Control.ControlClient ControlOf(Daemon manager) => ControlAt(manager.Socket);

    /// <summary>A port that nobody has, and that nobody was given before: who asked may not have opened it yet.</summary>
    public static int FreePort()
    {
        while (true)
        {
            using var listener = new TcpListener(IPAddress.Loopback, 0);
            listener.Start();
            int port = ((IPEndPoint)listener.LocalEndpoint).Port;
            if (Given.TryAdd(port, true))
            {
                return port;
            }
        }
    }

    public Daemon Add(string name, params string[] flags) => AddIn([], name, flags);

    /// <param name="wrapper">What the daemon is started by, such as <c>nsenter</c> into a network namespace.</param>
    public Daemon AddIn(string[] wrapper, string name, params string[] flags)
    {
        // No engine unless a test brings one: what an engine of the machine does is not these tests' matter.
        string[] engine = flags.Contains("--engine-addr") ? [] : ["--engine-addr", "unix://" + Path.Combine(Folder, "no-engine.sock")];
        var daemon = new Daemon(Folder, name, [.. flags, .. engine], wrapper);
        daemons.Add(daemon);
        return daemon;
    }

    public Daemon Join(string name, string token, params string[] flags) =>
        Add(name, ["--join-addr", Address, "--join-token", token, "--listen-control-api", Path.Combine(Folder, name + ".d", "swarm.sock"), .. flags]).Start();

    public Task<Said> CtlAsync(params string[] arguments) => CtlWithInputAsync(null, arguments);

    public Task<Said> CtlAsync(Daemon manager, params string[] arguments) => CtlAsync(manager.Socket, null, arguments);

    public Task<Said> CtlWithInputAsync(string? input, params string[] arguments) => CtlAsync(Socket, input, arguments);

    private static Task<Said> CtlAsync(string socket, string? input, string[] arguments) =>
        Shell.RunAsync(Programs.Swarmctl, arguments, input, new Dictionary<string, string> { ["SWARM_SOCKET"] = socket, ["NO_COLOR"] = "1" });

    /// <summary>Output of a swarmctl that must end well.</summary>
    public async Task<string> OkAsync(params string[] arguments)
    {
        Said said = await CtlWithInputAsync(null, arguments);
        return said.Exit == 0 ? said.Output : throw new InvalidOperationException($"swarmctl {string.Join(' ', arguments)} ended with {said.Exit}: {said.Errors}{said.Output}");
    }

    public Task AnswersAsync() => Wait.Until("the manager answers on its control socket", async () =>
    {
        if (!Manager.Runs)
        {
            Assert.Fail($"swarmd ended with {Manager.ExitCode}:\n{Manager.Log}");
        }
        Said said = await CtlAsync("cluster", "ls");
        if (said.Exit != 0)
        {
            return false;
        }
        Assert.True(said.Output.Contains("default", StringComparison.Ordinal), "a manager that answers does not know its cluster");
        return true;
    });

    public Task ReadyAsync(int nodes) => Wait.Until(
        $"{nodes} nodes are READY",
        async () => (await NodesAsync()).Count(n => n.Status.State == NodeStatus.Types.State.Ready) == nodes,
        LogsAsync);

    public async Task<string> WorkerTokenAsync() => TokenLine().Match(await OkAsync("cluster", "inspect", "default")).Groups[1].Value;

    public async Task<string> ManagerTokenAsync() => ManagerTokenLine().Match(await OkAsync("cluster", "inspect", "default")).Groups[1].Value;

    public async Task<IReadOnlyList<Node>> NodesAsync() =>
        (await Control.ListNodesAsync(new(), deadline: DateTime.UtcNow.AddSeconds(10))).Nodes;

    public async Task<Node> NodeAsync(string hostname) => (await NodesAsync()).Single(n => n.Description?.Hostname == hostname);

    public async Task<Service> ServiceAsync(string name) =>
        (await Control.ListServicesAsync(new() { Filters = new() { Names = { name } } }, deadline: DateTime.UtcNow.AddSeconds(10))).Services.Single(s => s.Spec.Annotations.Name == name);

    /// <summary>All tasks of a service, of old specs too.</summary>
    public async Task<IReadOnlyList<SwarmTask>> TasksAsync(string service)
    {
        var id = (await ServiceAsync(service)).Id;
        return (await Control.ListTasksAsync(new() { Filters = new() { ServiceIds = { id } } }, deadline: DateTime.UtcNow.AddSeconds(10))).Tasks;
    }

    public async Task<IReadOnlyList<SwarmTask>> RunningAsync(string service) =>
        [.. (await TasksAsync(service)).Where(t => t.Status.State == TaskState.Running && t.DesiredState == TaskState.Running)];

    /// <summary>Waits until that many tasks run, no more and no fewer, and returns them by slot.</summary>
    public async Task<IReadOnlyList<SwarmTask>> RunsAsync(string service, int count, Func<SwarmTask, bool>? and = null)
    {
        IReadOnlyList<SwarmTask> running = [];
        await Wait.Until(
            $"{count} tasks of {service} run",
            async () =>
            {
                running = await RunningAsync(service);
                return running.Count == count && running.All(t => and?.Invoke(t) != false);
            },
            async () => (await CtlAsync("service", "inspect", "--all", service)).Output + (await CtlAsync("service", "why", service)).Output + await LogsAsync());
        return [.. running.OrderBy(t => t.Slot)];
    }

    /// <summary>A service of host processes: a shell that runs a script.</summary>
    public Task<string> CreateAsync(string name, string script, params string[] flags) => OkAsync(
        ["service", "create", "--name", name, "--runtime", "process", "--command", "/bin/sh", "--args", $"-c,\"{script.Replace("\"", "\"\"", StringComparison.Ordinal)}\"", .. flags]);

    public async Task RemoveAsync(string service)
    {
        string id = (await OkAsync("service", "remove", service)).Trim();
        await Wait.Until(
            $"all tasks of {service} are gone",
            async () => (await Control.ListTasksAsync(new() { Filters = new() { ServiceIds = { id } } }, deadline: DateTime.UtcNow.AddSeconds(10))).Tasks.Count == 0,
            LogsAsync);
    }

    public Task<string> LogsAsync() => Task.FromResult(string.Concat(daemons.Select(d => $"--- {d.Name} ({(d.Runs ? "runs" : "ended")})\n{Tail(d.Log)}\n")));

    public async ValueTask DisposeAsync()
    {
        if (TestContext.Current.TestState?.Result == TestResult.Failed || !diedWell)
        {
            TestContext.Current.SendDiagnosticMessage(await LogsAsync());
            Console.Error.WriteLine(await LogsAsync());
        }
        await RemoveServicesAsync();
        foreach (GrpcChannel channel in channels.Values)
        {
            channel.Dispose();
        }
        await Task.WhenAll(daemons.Select(d => d.DisposeAsync().AsTask()));
        foreach (int supervisor in Posix.WithCommandLine(Folder + "/"))
        {
            string cgroup = GroupName().Match(Posix.Read($"/proc/{supervisor}/cgroup")).Value;
            foreach (int pid in (int[])[.. Posix.Descendants(supervisor), supervisor])
            {
                Posix.Signal(pid, Posix.Kill);
            }
            await Wait.Until("a supervisor ends", () => !Posix.Runs(supervisor));
            if (cgroup.Length > 0)
            {
                await Shell.RunAsync("/bin/sh", ["-c", $"find /sys/fs/cgroup -depth -type d -path '*/{cgroup}*' -exec rmdir {{}} + ; rm -rf /run/{cgroup} /dev/shm/{cgroup}"]);
            }
        }
        await Shell.RunAsync("/bin/sh", ["-c", $"awk '$5 ~ \"^{Folder}/\" {{ print $5 }}' /proc/self/mountinfo | sort -r | xargs -r -n 1 umount -l; rm -rf {Folder}"]);
    }

    // So that tasks, their cgroups and their mounts are removed by those who made them.
    private async Task RemoveServicesAsync()
    {
        if (!daemons.Any(d => d.Runs && File.Exists(Socket)))
        {
            return;
        }
        try
        {
            foreach (string id in (await OkAsync("service", "ls", "-q")).Split('\n', StringSplitOptions.RemoveEmptyEntries))
            {
                await OkAsync("service", "remove", id);
            }
            using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
            for (int i = 0; i < 150 && (await OkAsync("task", "ls", "--all", "-q")).Length > 0; i++)
            {
                await timer.WaitForNextTickAsync();
            }
        }
        catch (Exception e) when (e is InvalidOperationException or TimeoutException)
        {
            // What is left is killed.
        }
    }

    private Control.ControlClient ControlAt(string socket)
    {
        lock (channels)
        {
            if (!channels.TryGetValue(socket, out GrpcChannel? channel))
            {
                channels[socket] = channel = ChannelTo(socket);
            }
            return new(channel);
        }
    }

    private static string Tail(string text) => text.Length <= 6000 ? text : text[^6000..];

    [GeneratedRegex(@"Worker: (SWMTKN-\S+)")]
    private static partial Regex TokenLine();

    [GeneratedRegex(@"Manager: (SWMTKN-\S+)")]
    private static partial Regex ManagerTokenLine();

    [GeneratedRegex("skep-[0-9a-f]{16}")]
    private static partial Regex GroupName();
}
