using System.Net.Sockets;
using Skep.Bench.Cluster;
using Skep.Bench.Raft;

namespace Skep.Bench.Coordination;

/// <summary>Servers that speak ZooKeeper's protocol, each a process on the loopback.</summary>
internal abstract class Contender : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(100);

    public abstract string Name { get; }

    /// <summary>Where clients reach each server.</summary>
    public abstract IReadOnlyList<int> Ports { get; }

    /// <summary>The servers that run.</summary>
    public abstract IEnumerable<int> Pids { get; }

    /// <summary>Processor time of all servers so far, user and kernel.</summary>
    public double CpuSeconds => Pids.Sum(Machine.CpuSeconds);

    /// <summary>Resident memory of all servers.</summary>
    public double RssMb => Pids.Sum(Machine.RssMb);

    /// <summary>Every server, as the client takes them.</summary>
    public string Servers => Join(Ports);

    public abstract Task KillAsync(int server);

    /// <summary>Starts a killed server on what it had written.</summary>
    public abstract void StartAgain(int server);

    public abstract void EnsureAlive();

    public abstract ValueTask DisposeAsync();

    /// <summary>Waits until every server has its part and takes writes.</summary>
    public async Task ReadyAsync(LoadProgram load, CancellationToken ct)
    {
        await UntilAsync("every server to have its part", static modes => modes.All(static m => m is not null), ct);
        await load.RunAsync(ct, "ready", "--servers", Servers);
    }

    /// <summary>Which server leads.</summary>
    public async Task<int> LeaderAsync(CancellationToken ct)
    {
        string?[] modes = await UntilAsync("a leader", static modes => modes.Any(IsLeader), ct);
        return Array.FindIndex(modes, IsLeader);
    }

    /// <summary>Every server, the leader first.</summary>
    public async Task<string> LeaderFirstAsync(CancellationToken ct)
    {
        int leader = Ports[await LeaderAsync(ct)];
        return Join([leader, .. Ports.Where(p => p != leader)]);
    }

    /// <summary>Every server but the leader.</summary>
    public async Task<string> FollowersAsync(CancellationToken ct)
    {
        int leader = Ports[await LeaderAsync(ct)];
        return Join(Ports.Where(p => p != leader));
    }

    private static bool IsLeader(string? mode) => mode is "leader" or "standalone";

    private static string Join(IEnumerable<int> ports) => string.Join(',', ports.Select(static p => $"127.0.0.1:{p}"));

    private async Task<string?[]> UntilAsync(string what, Func<string?[], bool> isSo, CancellationToken ct)
    {
        string?[] modes = [];
        await Machine.UntilAsync($"{what} of {Name}", Patience, Step, async () =>
        {
            EnsureAlive();
            modes = await Task.WhenAll(Ports.Select(p => ModeAsync(p, ct)));
            return isSo(modes);
        }, ct);
        return modes;
    }

    private static async Task<string?> ModeAsync(int port, CancellationToken ct)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(ct);
        patience.CancelAfter(TimeSpan.FromSeconds(2));
        try
        {
            return await ZooKeeperServers.ModeAsync(port, patience.Token);
        }
        catch (Exception e) when (e is SocketException or IOException || (e is OperationCanceledException && !ct.IsCancellationRequested))
        {
            // Not up yet, or killed.
            return null;
        }
    }
}
