using System.Collections.Concurrent;
using System.Diagnostics;
using Docker.Swarmkit.V1;
using Grpc.Core;
using Skep.Acceptance.Harness;

namespace Skep.Acceptance.Managers.Storms;

/// <summary>Managers in network namespaces of their own, one of them with a small disk, and what befalls them.</summary>
internal sealed class StormCluster(StormNetwork network, SkepCluster cluster, int small) : IAsyncDisposable
{
    private const int SmallDiskMb = 400;
    private const int FillingSizeBytes = 900_000;
    private static readonly TimeSpan AskLeader = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Filling = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan AfterRefusal = TimeSpan.FromMilliseconds(200);

    private readonly ConcurrentQueue<string> trace = new();
    private readonly ConcurrentDictionary<Daemon, bool> killed = new();
    private readonly long began = Stopwatch.GetTimestamp();
    private int fillings;

    public SkepCluster Skep => cluster;

    public IReadOnlyList<Daemon> Members => cluster.Daemons;

    /// <summary>What befell whom, and when.</summary>
    public string Trace => string.Join('\n', trace);

    /// <summary>How often the member with the small disk said that it was full.</summary>
    public int FullDisks => Members[small].Log.Split("disk full, proposals are refused").Length - 1;

    public static async Task<StormCluster> StartAsync(int members, int small)
    {
        StormNetwork network = await StormNetwork.CreateAsync(members);
        var cluster = new SkepCluster(network.AddressOf(0));
        var storm = new StormCluster(network, cluster, small);
        try
        {
            string disk = Path.Combine(cluster.Folder, $"node-{small + 1}");
            Directory.CreateDirectory(disk);
            Said mounted = await Shell.RunAsync("mount", ["-t", "tmpfs", "-o", $"size={SmallDiskMb}m,mode=0700", "tmpfs", disk]);
            Assert.SkipUnless(mounted.Exit == 0, "no tmpfs can be mounted here: " + mounted.Errors.Trim());
            cluster.AddIn(network.WrapperOf(0), "node-1", "--listen-control-api", cluster.Socket, "--listen-remote-api", cluster.Address).Start();
            await cluster.AnswersAsync();
            string token = await cluster.ManagerTokenAsync();
            for (int i = 1; i < members; i++)
            {
                string name = $"node-{i + 1}";
                cluster.AddIn(
                    network.WrapperOf(i), name, "--join-addr", cluster.Address, "--join-token", token,
                    "--listen-control-api", Path.Combine(cluster.Folder, name + ".d", "swarm.sock"), "--listen-remote-api", $"{network.AddressOf(i)}:4242").Start();
            }
            await cluster.ReachableAsync(members);
            return storm;
        }
        catch
        {
            await storm.DisposeAsync();
            throw;
        }
    }

    /// <summary>Lets the faults of one lane come and go.</summary>
    public async Task RunAsync(IEnumerable<Fault> lane, long startedAt)
    {
        foreach (Fault fault in lane)
        {
            await UntilAsync(startedAt, fault.AtMs);
            int victim = fault.IsLeaders ? await LeaderOrAsync(fault.Victim) : fault.Victim;
            Note($"{fault.Kind} of {Members[victim].Name}{(fault.IsLeaders ? ", the leader," : "")} for {fault.ForMs} ms");
            await BeginAsync(fault.Kind, victim, startedAt, fault.AtMs + fault.ForMs);
            await UntilAsync(startedAt, fault.AtMs + fault.ForMs);
            await EndAsync(fault.Kind, victim);
            Note($"{fault.Kind} of {Members[victim].Name} is over");
        }
    }

    /// <summary>Undoes whatever is left; all run then.</summary>
    public async Task HealAsync()
    {
        await network.HealAsync();
        foreach (Daemon member in Members)
        {
            SignalIfItRuns(member, Posix.Continue);
            Assert.True(member.Runs, $"{member.Name} ended by itself, with {(member.Runs ? 0 : member.ExitCode)}:\n{member.Log[^Math.Min(3000, member.Log.Length)..]}");
        }
        Note("all is healed");
    }

    /// <summary>Stops the others as processes while something is asked of one, which then knows only what it has.</summary>
    public async Task<T> AloneAsync<T>(Daemon member, Func<Task<T>> ask)
    {
        List<Daemon> others = [.. Members.Where(d => d != member)];
        others.ForEach(d => d.Signal(Posix.Stop));
        try
        {
            return await ask();
        }
        finally
        {
            others.ForEach(d => d.Signal(Posix.Continue));
        }
    }

    public async ValueTask DisposeAsync()
    {
        await network.HealAsync();
        await cluster.DisposeAsync();
        await network.DisposeAsync();
    }

    private async Task BeginAsync(FaultKind kind, int victim, long startedAt, int endMs)
    {
        IEnumerable<int> others = Enumerable.Range(0, Members.Count).Where(i => i != victim);
        switch (kind)
        {
            case FaultKind.Kill:
                killed[Members[victim]] = true;
                if (Members[victim].Runs)
                {
                    await Members[victim].KillAsync();
                }
                break;
            case FaultKind.Freeze:
                SignalIfItRuns(Members[victim], Posix.Stop);
                break;
            case FaultKind.Isolate:
                await CutAsync(others.SelectMany(o => ((int, int)[])[(o, victim), (victim, o)]));
                break;
            case FaultKind.Deafen:
                await CutAsync(others.Select(o => (o, victim)));
                break;
            case FaultKind.Mute:
                await CutAsync(others.Select(o => (victim, o)));
                break;
            case FaultKind.Split:
                int[] side = [victim, (victim + 1) % Members.Count];
                await CutAsync(others.Except(side).SelectMany(o => side.SelectMany(s => ((int, int)[])[(o, s), (s, o)])));
                break;
            case FaultKind.FillDisk:
                await Shell.RunAsync("/bin/sh", ["-c", $"cat /dev/zero >{Ballast} 2>/dev/null; true"]);
                await FillAsync(startedAt, endMs);
                break;
            default:
                throw new InvalidOperationException($"no such fault: {kind}");
        }
    }

    private async Task EndAsync(FaultKind kind, int victim)
    {
        switch (kind)
        {
            case FaultKind.Kill:
                Members[victim].Start();
                killed.TryRemove(Members[victim], out _);
                break;
            case FaultKind.Freeze:
                SignalIfItRuns(Members[victim], Posix.Continue);
                break;
            case FaultKind.FillDisk:
                File.Delete(Ballast);
                break;
            default:
                await network.HealAsync();
                break;
        }
    }

    private string Ballast => Path.Combine(Members[small].StateDirectory, "ballast");

    // The log has set room aside, so much must be written before it feels that there is no more.
    private async Task FillAsync(long startedAt, int endMs)
    {
        byte[] data = new byte[FillingSizeBytes];
        for (int i = 0; Stopwatch.GetElapsedTime(startedAt).TotalMilliseconds < endMs; i++)
        {
            try
            {
                var spec = new ConfigSpec { Annotations = new() { Name = $"filling-{fillings++}" }, Data = Google.Protobuf.ByteString.CopyFrom(data) };
                await cluster.ControlOf(Members[i % Members.Count]).CreateConfigAsync(new() { Spec = spec }, deadline: DateTime.UtcNow + Filling);
            }
            catch (RpcException e)
            {
                Note($"filling: {e.StatusCode}: {e.Status.Detail}");
                await Task.Delay(AfterRefusal);
            }
        }
    }

    private static void SignalIfItRuns(Daemon member, int signal)
    {
        if (member.Runs)
        {
            member.Signal(signal);
        }
    }

    private async Task CutAsync(IEnumerable<(int From, int To)> ways)
    {
        foreach ((int from, int to) in ways)
        {
            await network.CutAsync(from, to);
        }
    }

    private async Task<int> LeaderOrAsync(int otherwise)
    {
        foreach (Daemon asked in Members)
        {
            try
            {
                using AsyncUnaryCall<ListNodesResponse> call = cluster.ControlOf(asked).ListNodesAsync(new(), deadline: DateTime.UtcNow + AskLeader);
                string? leader = (await call).Nodes.FirstOrDefault(n => n.ManagerStatus?.Leader == true)?.Description?.Hostname;
                if (leader is not null)
                {
                    return Members.Select((d, i) => (d, i)).First(m => m.d.Name == leader).i;
                }
            }
            catch (RpcException)
            {
                // It is down, or knows of none.
            }
        }
        return otherwise;
    }

    private void Note(string what) => trace.Enqueue($"{Stopwatch.GetElapsedTime(began).TotalSeconds,7:0.00} s {what}");

    private static Task UntilAsync(long startedAt, int atMs)
    {
        TimeSpan left = TimeSpan.FromMilliseconds(atMs) - Stopwatch.GetElapsedTime(startedAt);
        return left > TimeSpan.Zero ? Task.Delay(left) : Task.CompletedTask;
    }
}
