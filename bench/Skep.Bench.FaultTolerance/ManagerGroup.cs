using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Docker.Swarmkit.V1;
using Grpc.Core;
using Grpc.Net.Client;
using Skep.Bench.Cluster;

namespace Skep.Bench.FaultTolerance;

/// <summary>So many managers of the published program on this machine, in a folder of their own.</summary>
internal sealed class ManagerGroup : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(50);

    private readonly List<Member> members = [];
    private readonly string programs;
    private readonly string folder;
    private readonly Func<int, string> hostOf;
    private readonly Func<int, string[]> wrapperOf;
    private readonly CancellationToken ct;

    private ManagerGroup(string? programs, Func<int, string>? hostOf, Func<int, string[]>? wrapperOf, CancellationToken ct)
    {
        this.hostOf = hostOf ?? (static _ => "127.0.0.1");
        this.wrapperOf = wrapperOf ?? (static _ => []);
        this.programs = programs ?? Environment.GetEnvironmentVariable("SKEP_BIN") ?? FindPrograms();
        folder = Directory.CreateTempSubdirectory("skep-bench-").FullName;
        this.ct = ct;
    }

    public int Count => members.Count;

    public IEnumerable<int> Pids => members.Where(static m => m.Process is { HasExited: false }).Select(static m => m.Process!.Id);

    /// <param name="count">How many managers.</param>
    /// <param name="flagsOf">What each is told besides; nothing when not given.</param>
    /// <param name="programs">The folder with the programs.</param>
    /// <param name="hostOf">Where each listens; on the loopback when not given.</param>
    /// <param name="wrapperOf">What each is started by, such as <c>nsenter</c> into a network namespace.</param>
    /// <param name="ct">Ends every wait.</param>
    /// <exception cref="InvalidOperationException">A manager ended by itself; says what it logged last.</exception>
    public static async Task<ManagerGroup> StartAsync(
        int count, Func<int, string[]>? flagsOf = null, string? programs = null, Func<int, string>? hostOf = null, Func<int, string[]>? wrapperOf = null, CancellationToken ct = default)
    {
        var group = new ManagerGroup(programs, hostOf, wrapperOf, ct);
        flagsOf ??= static _ => [];
        try
        {
            group.Add(flagsOf(0));
            Docker.Swarmkit.V1.Cluster? cluster = null;
            await Machine.UntilAsync("the first manager", Patience, Step, async () =>
            {
                group.EnsureAlive();
                cluster = (await TryAsync(async () => await group.ControlOf(0).ListClustersAsync(new())))?.Clusters.FirstOrDefault();
                return cluster?.RootCa?.JoinTokens?.Manager is { Length: > 0 };
            }, ct);
            while (group.Count < count)
            {
                group.Add(["--join-addr", group.members[0].Address, "--join-token", cluster!.RootCa.JoinTokens.Manager, .. flagsOf(group.Count)]);
            }
            await group.WholeAsync();
            return group;
        }
        catch
        {
            await group.DisposeAsync();
            throw;
        }
    }

    public Control.ControlClient ControlOf(int member) => new(members[member].Channel);

    public bool Runs(int member) => members[member].Process is { HasExited: false };

    public void Kill(int member)
    {
        members[member].Process!.Kill();
        members[member].Process!.WaitForExit();
    }

    public void Start(int member) => members[member].Process = Launch(members[member]);

    /// <summary>Which member leads.</summary>
    public async Task<int> LeaderAsync()
    {
        int leader = -1;
        await Machine.UntilAsync("a leader", Patience, Step, async () =>
        {
            int asked = Enumerable.Range(0, Count).First(Runs);
            string? name = (await NodesAsync(asked))?.FirstOrDefault(static n => n.ManagerStatus?.Leader == true)?.Description?.Hostname;
            leader = members.FindIndex(m => m.Name == name);
            return leader >= 0 && Runs(leader);
        }, ct);
        return leader;
    }

    /// <summary>Waits until every member answers itself and the leader reaches all.</summary>
    public Task WholeAsync() => Machine.UntilAsync("all managers to vote and be reachable", Patience, Step, async () =>
    {
        EnsureAlive();
        IList<Node>?[] seen = await Task.WhenAll(Enumerable.Range(0, Count).Select(NodesAsync));
        return seen.All(nodes => nodes?.Count(static n => n.ManagerStatus?.Reachability == RaftMemberStatus.Types.Reachability.Reachable) == Count);
    }, ct);

    /// <exception cref="InvalidOperationException">A manager has ended; says what it logged last.</exception>
    public void EnsureAlive()
    {
        foreach (Member member in members.Where(static m => m.Process is { HasExited: true }))
        {
            throw new InvalidOperationException($"{member.Name} ended with {member.Process!.ExitCode}:\n{string.Join('\n', File.ReadLines(Path.Combine(folder, member.Name + ".log")).TakeLast(5))}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (Member member in members.Where(static m => m.Process is { HasExited: false }))
        {
            member.Process!.Kill();
            await member.Process.WaitForExitAsync();
        }

        // The supervisors of the nodes outlive them, by design.
        foreach (Process process in Process.GetProcessesByName("swarmd-supervisor"))
        {
            using (process)
            {
                if (File.ReadAllText($"/proc/{process.Id}/cmdline").Contains(folder + "/", StringComparison.Ordinal))
                {
                    process.Kill();
                }
            }
        }
        members.ForEach(static m => m.Channel.Dispose());
        Directory.Delete(folder, recursive: true);
    }

    private async Task<IList<Node>?> NodesAsync(int asked) =>
        (await TryAsync(async () => await ControlOf(asked).ListNodesAsync(new(), deadline: DateTime.UtcNow.AddSeconds(5))))?.Nodes;

    private static async Task<T?> TryAsync<T>(Func<Task<T>> ask)
        where T : class
    {
        try
        {
            return await ask();
        }
        catch (RpcException)
        {
            return null;
        }
    }

    private void Add(string[] flags)
    {
        string name = $"node-{members.Count + 1}";
        string socket = Path.Combine(folder, name + ".d", "swarm.sock");
        var member = new Member(name, wrapperOf(members.Count), $"{hostOf(members.Count)}:{FreePort()}", socket, flags, ChannelTo(socket));
        member.Process = Launch(member);
        members.Add(member);
    }

    private Process Launch(Member member)
    {
        string[] command = [.. member.Wrapper, "/bin/sh", "-c", "exec \"$@\" >>\"$LOG\" 2>&1", "sh", Path.Combine(programs, "swarmd"),
            "-d", Path.Combine(folder, member.Name), "--hostname", member.Name, "--engine-addr", $"unix://{folder}/no-engine",
            "--listen-control-api", member.Socket, "--listen-remote-api", member.Address, .. member.Flags];
        var start = new ProcessStartInfo(command[0], command[1..]);
        start.Environment["LOG"] = Path.Combine(folder, member.Name + ".log");
        return Process.Start(start)!;
    }

    private static GrpcChannel ChannelTo(string socket) => GrpcChannel.ForAddress("http://localhost", new GrpcChannelOptions
    {
        DisposeHttpClient = true,
        MaxReceiveMessageSize = null,
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

    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static string FindPrograms()
    {
        for (DirectoryInfo? at = new(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            if (File.Exists(Path.Combine(at.FullName, "bin", "swarmd")))
            {
                return Path.Combine(at.FullName, "bin");
            }
        }
        throw new InvalidOperationException("there is no bin/swarmd above this program: run ./run --build, or name a folder in SKEP_BIN");
    }

    private sealed record Member(string Name, string[] Wrapper, string Address, string Socket, string[] Flags, GrpcChannel Channel)
    {
        public Process? Process { get; set; }
    }
}
