using Skep.Acceptance.Harness;

namespace Skep.Acceptance.Coordination;

/// <summary>Managers of a Skep cluster, each of which serves coordination on a port of its own.</summary>
internal sealed class SkepServers : ICoordinationServers
{
    private readonly SkepCluster cluster = new();
    private readonly List<string> addresses = [];

    private SkepServers()
    {
    }

    public string Connect => string.Join(',', addresses);

    public static async Task<SkepServers> StartAsync(int managers)
    {
        var started = new SkepServers();
        try
        {
            await started.cluster.FoundAsync(started.Serving());
            string token = await started.cluster.ManagerTokenAsync();
            for (int i = 2; i <= managers; i++)
            {
                started.cluster.JoinManager($"node-{i}", token, started.Serving());
            }
            await started.cluster.ReachableAsync(managers);
            await started.ServeAsync();
            return started;
        }
        catch
        {
            await started.DisposeAsync();
            throw;
        }
    }

    /// <summary>Waits until all serve.</summary>
    public async Task ServeAsync()
    {
        foreach (string address in addresses)
        {
            await Judges.ServesAsync(address, LogsAsync);
        }
    }

    /// <summary>Waits until one leads the group of the znodes, and says which.</summary>
    public async Task<Daemon> LeaderAsync()
    {
        Daemon? leader = null;
        await Wait.Until(
            "a server leads",
            async () =>
            {
                for (int i = 0; i < addresses.Count && leader is null; i++)
                {
                    leader = cluster.Daemons[i].Runs && (await Judges.SrvrAsync(addresses[i])).Contains("Mode: leader", StringComparison.Ordinal) ? cluster.Daemons[i] : null;
                }
                return leader is not null;
            },
            LogsAsync);
        return leader!;
    }

    public Task<string> LogsAsync() => cluster.LogsAsync();

    public ValueTask DisposeAsync() => cluster.DisposeAsync();

    private string[] Serving()
    {
        addresses.Add($"127.0.0.1:{SkepCluster.FreePort()}");
        return ["--coordination", addresses[^1], "--coordination-max-connections-per-address", "0"];
    }
}
