using Skep.Acceptance.Harness;

namespace Skep.Acceptance.Coordination;

/// <summary>Managers of a Skep cluster, each of which serves coordination on a port of its own.</summary>
internal sealed class SkepServers : ICoordinationServers
{
    private readonly SkepCluster cluster = new();
    private readonly List<string> addresses = [];
    private readonly (string Name, string Password)[] users;

    private readonly string[] flags;

    private SkepServers((string Name, string Password)[] users, string[] flags) => (this.users, this.flags) = (users, flags);

    private string AuditFile => Path.Combine(cluster.Folder, "audit.log");

    public string Connect => string.Join(',', addresses);

    public static Task<SkepServers> StartAsync(int managers, params (string Name, string Password)[] users) => StartAsync(managers, [], users);

    /// <param name="managers">How many.</param>
    /// <param name="flags">What all of them are started with besides.</param>
    /// <param name="users">Users who may prove by SASL who they are.</param>
    public static async Task<SkepServers> StartAsync(int managers, string[] flags, params (string Name, string Password)[] users)
    {
        var started = new SkepServers(users, flags);
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

    /// <summary>Has a server observe, or vote again.</summary>
    public async Task ObserveAsync(Daemon server, bool observes)
    {
        // One that has just been started may not answer yet.
        cluster.Ask(await LeaderAsync());
        await cluster.OkAsync("node", "update", (await cluster.NodeAsync(server.Name)).Id, "--label", $"skep.coordination={(observes ? "observer" : "voter")}");
    }

    /// <summary>Has a manager become a worker, asked at another that stays.</summary>
    public async Task DemoteAsync(Daemon server, Daemon staying)
    {
        cluster.Ask(staying);
        await cluster.OkAsync("node", "demote", (await cluster.NodeAsync(server.Name)).Id);
        await Wait.Until($"{server.Name} manages no more", async () => (await cluster.NodeAsync(server.Name)).ManagerStatus is null, LogsAsync);
    }

    /// <summary>The managers' daemons.</summary>
    public IReadOnlyList<Daemon> Daemons => cluster.Daemons;

    /// <summary>Where a server serves.</summary>
    public string AddressOf(Daemon server) => addresses[cluster.Daemons.ToList().IndexOf(server)];

    /// <summary>Waits until a server says of itself what it is.</summary>
    public Task IsAsync(Daemon server, string mode) => Wait.Until(
        $"{server.Name} is {mode}", async () => (await Judges.SrvrAsync(AddressOf(server))).Contains($"Mode: {mode}\n", StringComparison.Ordinal), LogsAsync);

    public Task<string> LogsAsync() => cluster.LogsAsync();

    public async Task<IReadOnlyList<string>> AuditAsync() =>
        File.Exists(AuditFile) ? [.. (await File.ReadAllLinesAsync(AuditFile)).Select(static l => l[(l.IndexOf('\t', StringComparison.Ordinal) + 1)..])] : [];

    public ValueTask DisposeAsync() => cluster.DisposeAsync();

    private string[] Serving()
    {
        addresses.Add($"127.0.0.1:{SkepCluster.FreePort()}");
        string[] serving = ["--coordination", addresses[^1], "--coordination-max-connections-per-address", "0", .. flags];
        if (users.Length == 0)
        {
            return serving;
        }
        string file = Path.Combine(cluster.Folder, "users");
        File.WriteAllLines(file, users.Select(static u => $"{u.Name}:{u.Password}"));
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return [.. serving, "--coordination-sasl-users", file, "--coordination-audit", AuditFile];
    }
}
