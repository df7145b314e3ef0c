namespace Skep.Bench.Raft;

/// <summary>Commands a second of ours alone, or beside other systems in the same rounds.</summary>
internal static class RateTable
{
    private const int FrameSizeBytes = 200;
    private static readonly int[] Outstanding = [1, 64, 512];

    /// <param name="parent">A folder on the disk to measure.</param>
    /// <param name="members">Of each system.</param>
    /// <param name="rounds">In each, every system has every number of commands outstanding once.</param>
    /// <param name="seconds">How long each time.</param>
    /// <param name="beside">Whether etcd and ZooKeeper run as well.</param>
    public static async Task RunAsync(string parent, int members, int rounds, double seconds, bool beside)
    {
        await using var ours = new Ours(parent, members);
        await using Contender? etcd = beside && File.Exists(Etcd.Program) ? new Etcd(parent, members) : null;
        await using Contender? zooKeeper = beside && File.Exists(ZooKeeperServers.Jar) ? new ZooKeeper(parent, members) : null;
        Contender[] contenders = [ours, .. etcd is null ? [] : (Contender[])[etcd], .. zooKeeper is null ? [] : (Contender[])[zooKeeper]];
        if (beside && contenders.Length < 3)
        {
            Console.WriteLine("not both are here to compare with: apt-get install etcd-server zookeeper");
        }

        Console.WriteLine(
            $"{members} members as processes on the loopback, a sync before every acknowledgement, commands of {Pipe.CommandSizeBytes} bytes, the client a process of its own; "
            + $"ours with mTLS throughout; medians of {rounds} rounds of {seconds} s; load {Loopback.Load} when it began");
        foreach (Contender contender in contenders)
        {
            foreach (int outstanding in Outstanding)
            {
                await ClientRun.RunAsync(contender, outstanding, 2);
            }
        }

        var runs = new Dictionary<(Contender, int), List<ClientRun>>();
        var syncs = Outstanding.ToDictionary(static o => o, static _ => new List<double>());
        for (int round = 0; round < rounds; round++)
        {
            foreach (int outstanding in Outstanding)
            {
                foreach (Contender contender in contenders)
                {
                    long before = Syncs(ours, members);
                    ClientRun run = await ClientRun.RunAsync(contender, outstanding, seconds);
                    runs.TryAdd((contender, outstanding), []);
                    runs[(contender, outstanding)].Add(run);
                    if (contender == ours)
                    {
                        syncs[outstanding].Add((double)run.Count * members / Math.Max(1, Syncs(ours, members) - before));
                    }
                }
            }
        }

        Console.WriteLine($"{"outstanding",11}  {"",-10} {"commands/s",11} {"p50 ms",8} {"p99 ms",8} {"CPU us a command",17} {"ours is",9}");
        foreach (int outstanding in Outstanding)
        {
            foreach (Contender contender in contenders)
            {
                List<ClientRun> its = runs[(contender, outstanding)];
                double ratio = Median(its.Zip(runs[(ours, outstanding)], static (i, o) => o.PerSecond / i.PerSecond));
                Console.WriteLine(
                    $"{outstanding,11}  {contender.Name,-10} {Median(its.Select(static r => r.PerSecond)),11:N0} {Median(its.Select(static r => r.Percentile(0.5))),8:0.00} "
                    + $"{Median(its.Select(static r => r.Percentile(0.99))),8:0.00} {Median(its.Select(static r => r.CpuMicroseconds)),17:0.0} {(contender == ours ? "" : $"{ratio:0.0}x"),9}");
            }

            double together = Median(syncs[outstanding]);
            Console.WriteLine($"{"",11}  ours: {together:0.0} commands a sync, {together * FrameSizeBytes:N0} bytes");
        }

        Console.WriteLine($"load {Loopback.Load} when it ended");
    }

    private static long Syncs(Ours ours, int members)
    {
        // A member tells four times a second.
        Thread.Sleep(300);
        return Enumerable.Range(1, members).Sum(m => MemberFigures.Read(ours.Processes.Folder, m).Syncs);
    }

    private static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted[sorted.Length / 2];
    }
}
