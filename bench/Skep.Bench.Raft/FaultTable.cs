using System.Collections.Concurrent;
using System.Diagnostics;

namespace Skep.Bench.Raft;

/// <summary>
/// How many members of n may be gone: whether writes and linearizable reads go on with f of them killed; how long writes stand still
/// when the leader is killed; and whether any write that was acknowledged is lost.
/// </summary>
internal static class FaultTable
{
    private static readonly TimeSpan Enough = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan Recovery = TimeSpan.FromSeconds(30);
    private static ulong s_name;

    public static async Task RunAsync(string parent, int kills)
    {
        Console.WriteLine($"members as processes, kill -9, mTLS, fdatasync before every acknowledgement; load {Loopback.Load} when it began");
        Console.WriteLine($"{"n",3} {"f killed",9} {"writes",8} {"linearizable reads",19}");
        foreach (int members in (int[])[3, 5])
        {
            await CountAsync(parent, members);
        }

        Console.WriteLine();
        Console.WriteLine($"{"n",3} {"kills",6} {"to the next write, p50 s",25} {"p99 s",7} {"worst s",8} {"acknowledged",13} {"lost",5}");
        foreach (int members in (int[])[3, 5])
        {
            await KillLeadersAsync(parent, members, kills);
        }
    }

    private static async Task CountAsync(string parent, int members)
    {
        await using var processes = new Processes(parent, members);
        await using var client = new SmallClient(processes.Folder, processes.ClientPorts);
        for (int killed = 0; killed <= members; killed++)
        {
            if (killed > 0)
            {
                await processes.KillAsync(killed - 1);
            }

            ulong name = ++s_name;
            bool writes = await TryAsync(client, name, question: false, killed == 0 ? Recovery : Enough);
            bool reads = await TryAsync(client, writes ? name : 1, question: true, Enough);
            Console.WriteLine($"{members,3} {killed,9} {(writes ? "go on" : "stop"),8} {(reads ? "go on" : "stop"),19}");
        }
    }

    private static async Task KillLeadersAsync(string parent, int members, int kills)
    {
        await using var processes = new Processes(parent, members);
        var acknowledged = new ConcurrentBag<ulong>();
        long lastTicks = 0;
        int leader = 0;
        using var stop = new CancellationTokenSource();
        Task[] writers = [.. Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            await using var client = new SmallClient(processes.Folder, processes.ClientPorts);
            while (!stop.IsCancellationRequested)
            {
                ulong name = Interlocked.Increment(ref s_name);
                if (await client.TryAsync(name, question: false, stop.Token))
                {
                    acknowledged.Add(name);
                    Volatile.Write(ref leader, client.At);
                    Volatile.Write(ref lastTicks, Stopwatch.GetTimestamp());
                }
            }
        }))];
        var gaps = new List<double>();
        await UntilWrittenAsync(0);
        for (int kill = 0; kill < kills; kill++)
        {
            int victim = Volatile.Read(ref leader);
            await processes.KillAsync(victim);
            long killed = Stopwatch.GetTimestamp();
            await UntilWrittenAsync(killed);
            gaps.Add(Stopwatch.GetElapsedTime(killed, Volatile.Read(ref lastTicks)).TotalSeconds);
            processes.Start(victim);

            // Until it has its part again, another kill would leave no majority of three.
            await Task.Delay(2_000);
        }

        await stop.CancelAsync();
        await Task.WhenAll(writers);
        int lost = 0;
        await using var reader = new SmallClient(processes.Folder, processes.ClientPorts);
        foreach (ulong name in acknowledged)
        {
            lost += await TryAsync(reader, name, question: true, Enough) ? 0 : 1;
        }

        gaps.Sort();
        Console.WriteLine($"{members,3} {kills,6} {gaps[gaps.Count / 2],25:0.00} {gaps[(int)(0.99 * (gaps.Count - 1))],7:0.00} {gaps[^1],8:0.00} {acknowledged.Count,13:N0} {lost,5}");

        async Task UntilWrittenAsync(long after)
        {
            long began = Stopwatch.GetTimestamp();
            while (Volatile.Read(ref lastTicks) <= after)
            {
                if (Stopwatch.GetElapsedTime(began) > Recovery)
                {
                    throw new TimeoutException($"no write was taken within {Recovery.TotalSeconds} s");
                }

                await Task.Delay(5);
            }
        }
    }

    private static async Task<bool> TryAsync(SmallClient client, ulong name, bool question, TimeSpan patience)
    {
        using var timeout = new CancellationTokenSource(patience);
        return await client.TryAsync(name, question, timeout.Token);
    }
}
