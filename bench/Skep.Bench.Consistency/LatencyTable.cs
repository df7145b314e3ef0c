using System.Diagnostics;
using Skep.Coordination.Client;

namespace Skep.Bench.Consistency;

/// <summary>What each kind of read costs, one at a time, in rounds in which all have their turn.</summary>
internal static class LatencyTable
{
    private static readonly AuthInfo Linearizable = new("skep", "reads=linearizable"u8.ToArray());

    public static async Task RunAsync(Servers servers, Options options, CancellationToken ct)
    {
        int leader = await servers.LeaderAsync(ct);
        int follower = (leader + 1) % 3;
        await using CoordinationClient atLeader = await servers.ConnectAsync([leader], null, ct);
        await using CoordinationClient atFollower = await servers.ConnectAsync([follower], null, ct);
        await using CoordinationClient linearAtLeader = await servers.ConnectAsync([leader], static o => o with { Auth = [Linearizable] }, ct);
        await using CoordinationClient linearAtFollower = await servers.ConnectAsync([follower], static o => o with { Auth = [Linearizable] }, ct);
        const string path = "/latency";
        await atLeader.CreateAsync(path, new byte[100], ct: ct);
        await atFollower.SyncAsync(path, ct);
        Kind[] kinds =
        [
            new("plain", "leader", () => atLeader.GetDataAsync(path, ct)),
            new("plain", "follower", () => atFollower.GetDataAsync(path, ct)),
            new("sync and read", "leader", () => Behind(atLeader)),
            new("sync and read", "follower", () => Behind(atFollower)),
            new("linearizable", "leader", () => linearAtLeader.GetDataAsync(path, ct)),
            new("linearizable", "follower", () => linearAtFollower.GetDataAsync(path, ct)),
            new("write", "leader", () => atLeader.SetDataAsync(path, new byte[100], ct: ct)),
            new("write", "follower", () => atFollower.SetDataAsync(path, new byte[100], ct: ct)),
        ];

        // The first round is for the compilers.
        for (int round = 0; round <= options.Rounds; round++)
        {
            foreach (Kind kind in kinds)
            {
                for (int i = 0; i < options.Reads; i++)
                {
                    long began = Stopwatch.GetTimestamp();
                    await kind.Ask();
                    kind.Add(Stopwatch.GetElapsedTime(began), counts: round > 0);
                }
            }
        }
        if (await servers.LeaderAsync(ct) != leader)
        {
            throw new InvalidOperationException("another server leads than when it began: the machine was too busy; run it again");
        }
        Console.WriteLine($"\n{options.Rounds} rounds of {options.Reads} each, one at a time, 100 bytes\n");
        Console.WriteLine("| what | at | p50 | p99 |\n|---|---|---|---|");
        foreach (Kind kind in kinds)
        {
            Console.WriteLine($"| {kind.Name} | {kind.Where} | {kind.At(0.50):0.00} ms | {kind.At(0.99):0.00} ms |");
        }

        // Both are sent at once; the answers come in order.
        Task Behind(CoordinationClient client) => Task.WhenAll(client.SyncAsync(path, ct), client.GetDataAsync(path, ct));
    }

    private sealed record Kind(string Name, string Where, Func<Task> Ask)
    {
        private readonly List<double> _ms = [];

        public void Add(TimeSpan took, bool counts)
        {
            if (counts)
            {
                _ms.Add(took.TotalMilliseconds);
            }
        }

        public double At(double share) => _ms.Order().ElementAt((int)(share * (_ms.Count - 1)));
    }
}
