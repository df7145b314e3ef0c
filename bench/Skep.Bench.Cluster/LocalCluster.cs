using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Docker.Swarmkit.V1;
using Grpc.Core;
using Grpc.Net.Client;

namespace Skep.Bench.Cluster;

/// <summary>A manager and two workers of the published programs on this machine, in a folder of their own.</summary>
internal sealed class LocalCluster : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(100);

    private readonly string folder = Directory.CreateTempSubdirectory("skep-bench-").FullName;
    private readonly List<Process> nodes = [];
    private readonly GrpcChannel channel;
    private readonly string? engine;

    private LocalCluster(string? engine)
    {
        this.engine = engine;
        channel = GrpcChannel.ForAddress("http://localhost", new GrpcChannelOptions
        {
            HttpHandler = new SocketsHttpHandler
            {
                ConnectCallback = async (_, ct) =>
                {
                    var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                    await socket.ConnectAsync(new UnixDomainSocketEndPoint(ControlSocket), ct);
                    return new NetworkStream(socket, ownsSocket: true);
                },
            },
        });
        Control = new(channel);
    }

    public static string Programs { get; } = Environment.GetEnvironmentVariable("SKEP_BIN") ?? FindPrograms();

    public static string Swarmctl => Path.Combine(Programs, "swarmctl");

    public string ControlSocket => Path.Combine(folder, "manager", "swarm.sock");

    public Control.ControlClient Control { get; }

    public int ManagerPid => nodes[0].Id;

    /// <param name="engine">Address of the engine of all three nodes; null for none.</param>
    public static async Task<LocalCluster> StartAsync(string? engine = null)
    {
        var cluster = new LocalCluster(engine);
        try
        {
            await cluster.StartNodesAsync();
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs <c>swarmctl</c> against the cluster.</summary>
    public Task<string> SwarmctlAsync(params string[] arguments) =>
        Machine.RunAsync(Swarmctl, arguments, new Dictionary<string, string> { ["SWARM_SOCKET"] = ControlSocket });

    /// <summary>Processor time of the three daemons and their supervisors, in this order.</summary>
    public (double Manager, double Workers, double Supervisors) CpuSeconds()
    {
        double supervisors = 0;
        foreach (Process process in Process.GetProcessesByName("swarmd-supervisor"))
        {
            using (process)
            {
                if (File.ReadAllText($"/proc/{process.Id}/cmdline").Contains(folder, StringComparison.Ordinal))
                {
                    supervisors += Machine.CpuSeconds(process.Id);
                }
            }
        }
        return (Machine.CpuSeconds(ManagerPid), nodes.Skip(1).Sum(static n => Machine.CpuSeconds(n.Id)), supervisors);
    }

    public async Task UntilRunningAsync(string serviceId, ulong count)
    {
        var request = new ListServiceStatusesRequest { Services = { serviceId } };
        await Machine.UntilAsync($"{count} running tasks", TimeSpan.FromMinutes(5), TimeSpan.FromMilliseconds(50), async () =>
            (await Control.ListServiceStatusesAsync(request)).Statuses.Single().RunningTasks >= count);
    }

    public async Task RemoveServiceAsync(string name)
    {
        await SwarmctlAsync("service", "remove", name);
        await Machine.UntilAsync("the tasks to be gone", TimeSpan.FromMinutes(5), TimeSpan.FromMilliseconds(500), async () =>
            (await Control.ListTasksAsync(new())).Tasks.Count == 0);
    }

    public async ValueTask DisposeAsync()
    {
        channel.Dispose();
        foreach (Process node in nodes)
        {
            if (!node.HasExited)
            {
                using Process? kill = Process.Start("kill", [node.Id.ToString()]);
            }
        }
        foreach (Process node in nodes)
        {
            using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(20));
            try
            {
                await node.WaitForExitAsync(timeout.Token);
            }
            catch (OperationCanceledException)
            {
                node.Kill();
            }
            node.Dispose();
        }
        Directory.Delete(folder, recursive: true);
    }

    private async Task StartNodesAsync()
    {
        int port = FreePort();
        StartNode("node-1", "--listen-control-api", ControlSocket, "--listen-remote-api", $"127.0.0.1:{port}");
        Docker.Swarmkit.V1.Cluster? found = null;
        await Machine.UntilAsync("the manager", Patience, Step, async () =>
        {
            EnsureAlive();
            try
            {
                found = (await Control.ListClustersAsync(new())).Clusters.FirstOrDefault();
            }
            catch (RpcException)
            {
                return false;
            }
            return found?.RootCa?.JoinTokens?.Worker is { Length: > 0 };
        });
        foreach (string name in (string[])["node-2", "node-3"])
        {
            StartNode(name, "--join-addr", $"127.0.0.1:{port}", "--join-token", found!.RootCa.JoinTokens.Worker);
        }
        await Machine.UntilAsync("three nodes READY", Patience, Step, async () =>
        {
            EnsureAlive();
            return (await Control.ListNodesAsync(new())).Nodes.Count(static n => n.Status?.State == NodeStatus.Types.State.Ready && n.Description is not null) == 3;
        });
    }

    private void StartNode(string name, params string[] arguments)
    {
        var start = new ProcessStartInfo("/bin/sh", ["-c", "exec \"$@\" >\"$LOG\" 2>&1", "sh", Path.Combine(Programs, "swarmd"),
            "-d", Path.Combine(folder, name), "--hostname", name, "--engine-addr", engine ?? $"unix://{folder}/no-engine", .. arguments]);
        start.Environment["LOG"] = Path.Combine(folder, name + ".log");
        nodes.Add(Process.Start(start)!);
    }

    private void EnsureAlive()
    {
        for (int i = 0; i < nodes.Count; i++)
        {
            if (nodes[i].HasExited)
            {
                throw new InvalidOperationException($"node-{i + 1} ended:\n{string.Join('\n', File.ReadLines(Path.Combine(folder, $"node-{i + 1}.log")).TakeLast(5))}");
            }
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static string FindPrograms()
    {
        for (DirectoryInfo? at = new(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            if (File.Exists(Path.Combine(at.FullName, "bin", "swarmctl")) && File.Exists(Path.Combine(at.FullName, "bin", "swarmd")))
            {
                return Path.Combine(at.FullName, "bin");
            }
        }
        throw new InvalidOperationException("there is no bin/ with swarmd and swarmctl above this program: run ./run --build, or name a folder in SKEP_BIN");
    }
}
