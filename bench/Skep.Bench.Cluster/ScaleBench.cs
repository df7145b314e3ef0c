using System.Diagnostics;

namespace Skep.Bench.Cluster;

/// <summary>How long it takes until as many host processes run as a service is told to have.</summary>
internal static class ScaleBench
{
    private const double TargetSeconds = 5;

    public static async Task RunAsync(int tasks, int runs)
    {
        await using LocalCluster cluster = await LocalCluster.StartAsync();
        Console.WriteLine();
        Console.WriteLine($"1 -> {tasks:N0} process tasks RUNNING on 3 nodes, from the start of swarmctl; wanted: under {TargetSeconds} s");
        Console.WriteLine($"{"run",4} {"s",7} {"tasks/s",8} {"CPU s: manager",15} {"workers",8} {"supervisors",12} {"manager RSS MB",15} {"load",6}");
        var all = new List<double>();
        for (int run = 1; run <= runs; run++)
        {
            string name = $"bench-{run}";
            string id = (await cluster.SwarmctlAsync("service", "create", "--name", name, "--runtime", "process", "--command", "/bin/sleep", "--args", "100000")).Trim();
            await cluster.UntilRunningAsync(id, 1);
            (double manager, double workers, double supervisors) before = cluster.CpuSeconds();
            long began = Stopwatch.GetTimestamp();
            await cluster.SwarmctlAsync("service", "update", name, "--replicas", $"{tasks}");
            await cluster.UntilRunningAsync(id, (ulong)tasks);
            double seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
            all.Add(seconds);
            (double manager, double workers, double supervisors) after = cluster.CpuSeconds();
            Console.WriteLine(
                $"{run,4} {seconds,7:0.00} {tasks / seconds,8:N0} {after.manager - before.manager,15:0.00} {after.workers - before.workers,8:0.00} " +
                $"{after.supervisors - before.supervisors,12:0.00} {Machine.RssMb(cluster.ManagerPid),15:0} {Machine.Load,6}");
            await cluster.RemoveServiceAsync(name);
        }
        Console.WriteLine($"median {Machine.Median(all):0.00} s, best {all.Min():0.00} s: {Machine.Median(all) / TargetSeconds:0.00}x of what is wanted");
    }
}
