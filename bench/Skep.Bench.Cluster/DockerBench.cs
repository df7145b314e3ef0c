using System.Diagnostics;
using System.Text.Json;
using Skep.TestEngine;

namespace Skep.Bench.Cluster;

/// <summary>
/// How long it takes until as many containers run as a service is told to have: three of our nodes on one engine, and that
/// engine's own swarm, in turns. The engine has a network namespace of its own, so that its bridges meet nobody else's.
/// </summary>
internal static class DockerBench
{
    public static async Task<int> RunAsync(int replicas, int runs)
    {
        Console.WriteLine();
        if (DockerEngine.WhyNot is { } reason)
        {
            Console.WriteLine($"1 -> {replicas} containers: not measured, {reason}");
            return 1;
        }
        using NetworkNamespace net = NetworkNamespace.Create();
        await using DockerEngine engine = await DockerEngine.StartAsync(net.Wrapper);
        await DockerAsync(engine, "swarm", "init", "--advertise-addr", net.Inside);
        await using LocalCluster cluster = await LocalCluster.StartAsync("unix://" + engine.Socket);
        await CompareAsync(engine, cluster, replicas, runs);
        return 0;
    }

    private static async Task CompareAsync(DockerEngine engine, LocalCluster cluster, int replicas, int runs)
    {
        string version = (await engine.GetAsync("/version")).GetProperty("Version").GetString()!;
        Console.WriteLine($"1 -> {replicas} containers RUNNING on Docker Engine {version}, from the start of swarmctl or docker; in turns");
        Console.WriteLine($"{"run",4} {"ours s",8} {"docker service scale s",24} {"load",6}");
        List<double> ours = [], theirs = [];

        // One round before those that count: both have much to compile, cache and create once.
        for (int run = 0; run <= runs; run++)
        {
            double our = await OursAsync(cluster, $"ours-{run}", replicas);
            await UntilNoContainersAsync(engine);
            double their = await TheirsAsync(engine, $"theirs-{run}", replicas);
            await UntilNoContainersAsync(engine);
            if (run > 0)
            {
                ours.Add(our);
                theirs.Add(their);
            }
            Console.WriteLine($"{(run == 0 ? "warm" : run),4} {our,8:0.00} {their,24:0.00} {Machine.Load,6}");
        }
        double ratio = Machine.Median(ours) / Machine.Median(theirs);
        Console.WriteLine($"medians {Machine.Median(ours):0.00} s and {Machine.Median(theirs):0.00} s: ours takes {ratio:0.00}x of Docker's");
    }

    private static async Task<double> OursAsync(LocalCluster cluster, string name, int replicas)
    {
        string id = (await cluster.SwarmctlAsync("service", "create", "--name", name, "--image", "busybox", "--command", "sleep", "--args", "100000")).Trim();
        await cluster.UntilRunningAsync(id, 1);
        long began = Stopwatch.GetTimestamp();
        await cluster.SwarmctlAsync("service", "update", name, "--replicas", $"{replicas}");
        await cluster.UntilRunningAsync(id, (ulong)replicas);
        double seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
        await cluster.RemoveServiceAsync(name);
        return seconds;
    }

    private static async Task<double> TheirsAsync(DockerEngine engine, string name, int replicas)
    {
        await DockerAsync(engine, "service", "create", "--detach", "--no-resolve-image", "--name", name, "busybox", "sleep", "100000");
        await UntilRunningAsync(engine, name, 1);
        long began = Stopwatch.GetTimestamp();
        await DockerAsync(engine, "service", "scale", "--detach", $"{name}={replicas}");
        await UntilRunningAsync(engine, name, replicas);
        double seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
        await DockerAsync(engine, "service", "rm", name);
        return seconds;
    }

    private static Task UntilRunningAsync(DockerEngine engine, string name, int count)
    {
        string path = "/services?status=true&filters=" + Uri.EscapeDataString($"{{\"name\":[\"{name}\"]}}");
        return Machine.UntilAsync($"{count} of Docker's tasks running", TimeSpan.FromMinutes(5), TimeSpan.FromMilliseconds(50), async () =>
            (await engine.GetAsync(path)).EnumerateArray().Single() is var service
            && service.TryGetProperty("ServiceStatus", out JsonElement status)
            && status.GetProperty("RunningTasks").GetInt32() >= count);
    }

    private static Task UntilNoContainersAsync(DockerEngine engine) =>
        Machine.UntilAsync("the containers to be gone", TimeSpan.FromMinutes(5), TimeSpan.FromMilliseconds(500), async () => (await engine.ContainersAsync()).Count == 0);

    private static Task<string> DockerAsync(DockerEngine engine, params string[] arguments) =>
        Machine.RunAsync("docker", ["--host", "unix://" + engine.Socket, .. arguments]);
}
