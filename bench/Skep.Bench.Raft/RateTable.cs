namespace Skep.Bench.Raft;

/// <summary>Commands a second with 1, 64 and 512 outstanding.</summary>
internal static class RateTable
{
    public static async Task RunAsync(string parent, int members, double seconds)
    {
        await using var processes = new Processes(parent, members);
        Console.WriteLine($"{members} members as processes, mTLS between them and to the client, fdatasync before every acknowledgement, 128-byte commands; load {Loopback.Load} when it began");
        Console.WriteLine($"{"outstanding",11} {"commands/s",11} {"p50 ms",8} {"p99 ms",8} {"CPU us a command",17} {"etcd 3.4 /s",12} {"ours / etcd",12}");
        foreach ((int outstanding, double etcd) in ((int, double)[])[(1, 764), (64, 5_000), (512, 6_000)])
        {
            await ClientRun.RunAsync(processes.Folder, processes.ClientPorts, outstanding, Math.Min(2, seconds));
            double before = processes.CpuSeconds;
            ClientRun run = await ClientRun.RunAsync(processes.Folder, processes.ClientPorts, outstanding, seconds);
            Console.WriteLine(
                $"{outstanding,11} {run.PerSecond,11:N0} {run.Percentile(0.5),8:0.00} {run.Percentile(0.99),8:0.00} {(processes.CpuSeconds - before) * 1e6 / run.Count,17:0.0} "
                + (members == 3 ? $"{etcd,12:N0} {run.PerSecond / etcd,11:0.0}x" : ""));
        }

        Console.WriteLine("etcd's figures were recorded on such a machine, not run beside");
    }
}
