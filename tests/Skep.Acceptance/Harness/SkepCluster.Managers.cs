using System.Diagnostics;
using Docker.Swarmkit.V1;

namespace Skep.Acceptance.Harness;

/// <summary>Clusters of several managers.</summary>
internal sealed partial class SkepCluster
{
    /// <summary>Founds a cluster of managers, node-1 and those after it, and as many workers behind them.</summary>
    public static async Task<SkepCluster> StartManagersAsync(int managers, int workers = 0, params string[] flags)
    {
        var cluster = new SkepCluster();
        await cluster.FoundAsync(flags);
        try
        {
            string token = await cluster.ManagerTokenAsync();
            for (int i = 2; i <= managers; i++)
            {
                cluster.JoinManager($"node-{i}", token, flags);
            }
            await cluster.ReachableAsync(managers);
            token = await cluster.WorkerTokenAsync();
            for (int i = managers + 1; i <= managers + workers; i++)
            {
                cluster.Join($"node-{i}", token, flags);
            }
            await cluster.ReadyAsync(managers + workers);
            return cluster;
        }
        catch
        {
            cluster.diedWell = false;
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts a node with a port for others, which so can manage.</summary>
    public Daemon JoinManager(string name, string token, params string[] flags) =>
        Join(name, token, ["--listen-remote-api", $"127.0.0.1:{FreePort()}", .. flags]);

    /// <summary>Waits until so many managers vote and answer, one of them leading.</summary>
    public Task ReachableAsync(int managers) => Wait.Until(
        $"{managers} managers are REACHABLE",
        async () =>
        {
            List<ManagerStatus> found = [.. (await NodesAsync()).Select(n => n.ManagerStatus).Where(m => m is not null)];
            return found.Count == managers && found.All(m => m.Reachability == RaftMemberStatus.Types.Reachability.Reachable) && found.Count(m => m.Leader) == 1;
        },
        LogsAsync);

    /// <summary>Waits until a manager leads, and says which.</summary>
    public async Task<Daemon> LeaderAsync()
    {
        string? name = null;
        await Wait.Until(
            "a manager leads",
            async () => (name = (await NodesAsync()).SingleOrDefault(n => n.ManagerStatus?.Leader == true)?.Description?.Hostname) is not null,
            LogsAsync);
        return daemons.Single(d => d.Name == name);
    }

    /// <summary>Kills the leader (-9) and asks another of these managers from then on.</summary>
    public async Task<Daemon> KillLeaderAsync()
    {
        Daemon leader = await LeaderAsync();
        await leader.KillAsync();
        Ask(daemons.First(d => d.Runs && d.Manages));
        return leader;
    }

    /// <summary>Starts a killed manager again and waits until it takes part.</summary>
    public async Task ReturnAsync(Daemon killed, int managers)
    {
        killed.Start();
        await TakesPartAsync(killed, managers);
    }

    /// <summary>Waits until a manager that was started answers itself, and the leader knows of it.</summary>
    public async Task TakesPartAsync(Daemon started, int managers)
    {
        await Wait.Until($"{started.Name} answers on its control socket", async () => (await CtlAsync(started, "cluster", "ls")).Exit == 0, LogsAsync);
        await ReachableAsync(managers);
    }

    /// <summary>
    /// Tries again and again until a change is taken, and says how long that took. One whose leader went before it could answer may have
    /// been taken: then the next try is told that its object is there.
    /// </summary>
    public async Task<TimeSpan> WrittenAsync(Func<Task> write)
    {
        long began = Stopwatch.GetTimestamp();
        bool broken = false;
        await Wait.Until(
            "a change is taken",
            async () =>
            {
                try
                {
                    await write();
                    return true;
                }
                catch (InvalidOperationException e)
                {
                    bool there = e.Message.Contains("already exists", StringComparison.Ordinal);
                    if (broken && there)
                    {
                        return true;
                    }
                    broken |= !there;
                    throw;
                }
            },
            LogsAsync);
        return Stopwatch.GetElapsedTime(began);
    }
}
