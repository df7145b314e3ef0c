using System.Diagnostics;

namespace Skep.Bench.Cluster;

/// <summary>What a short command takes from its start to its end, and what a manager costs while nothing happens.</summary>
internal static class CliBench
{
    private const string GoMs = "7-9";
    private const double GoWorstMs = 9;

    public static async Task RunAsync(int runs, int idleSeconds)
    {
        await using LocalCluster cluster = await LocalCluster.StartAsync();
        Environment.SetEnvironmentVariable("SWARM_SOCKET", cluster.ControlSocket);
        var all = new List<double>();
        for (int i = 0; i < runs + 5; i++)
        {
            double ms = await OnceAsync();

            // The first ones bring the program into memory.
            if (i >= 5)
            {
                all.Add(ms);
            }
        }
        all.Sort();
        double median = Machine.Median(all);
        Console.WriteLine();
        Console.WriteLine($"swarmctl node ls, a whole process, {runs} runs: median {median:0.0} ms, best {all[0]:0.0}, p90 {all[all.Count * 9 / 10]:0.0}; load {Machine.Load}");
        Console.WriteLine($"Go's took {GoMs} ms (recorded, not run beside): {median / GoWorstMs:0.00}x of {GoWorstMs} ms");

        // The compiler's work for what was new in the first minute is not an idle manager's.
        await Task.Delay(TimeSpan.FromSeconds(60));
        double before = Machine.CpuSeconds(cluster.ManagerPid);
        long began = Stopwatch.GetTimestamp();
        await Task.Delay(TimeSpan.FromSeconds(idleSeconds));
        double cpu = (Machine.CpuSeconds(cluster.ManagerPid) - before) / Stopwatch.GetElapsedTime(began).TotalSeconds;
        Console.WriteLine($"idle manager with 3 nodes over {idleSeconds} s: {cpu:P2} of one core after a minute of rest (wanted: 1 %), {Machine.RssMb(cluster.ManagerPid):0} MB (wanted: 120 MB); load {Machine.Load}");
    }

    private static async Task<double> OnceAsync()
    {
        long began = Stopwatch.GetTimestamp();
        using Process process = Process.Start(new ProcessStartInfo(LocalCluster.Swarmctl, ["node", "ls"]) { RedirectStandardOutput = true })!;
        string output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        double ms = Stopwatch.GetElapsedTime(began).TotalMilliseconds;
        return process.ExitCode == 0 && output.Split('\n').Count(static l => l.Contains("READY", StringComparison.Ordinal)) == 3
            ? ms
            : throw new InvalidOperationException($"swarmctl node ls ended with {process.ExitCode} and said\n{output}");
    }
}
