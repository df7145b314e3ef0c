using System.Text.RegularExpressions;
using Docker.Swarmkit.V1;
using Skep.Acceptance.Harness;
using Skep.TestEngine;

namespace Skep.Acceptance.Managers;

/// <summary>The guide's first steps on three managers, the leader of which is killed (-9) after each command and started again.</summary>
public sealed class The_transcript
{
    [Fact]
    public async Task Of_processes_goes_through_whichever_leader_dies_between_two_commands()
    {
        await using SkepCluster c = await SkepCluster.StartManagersAsync(3);
        await GoAsync(
            c,
            ["--runtime", "process", "--command", "/bin/sh", "--args", "-c,\"exec sleep 111111\""],
            ["--args", "-c,\"exec sleep 222222\""],
            ["--args", "-c,\"exec sleep 333333\""],
            (task, version) => task.Spec.Generic is not null && Posix.Read($"/proc/{task.Status.Container.Pid}/cmdline").Contains($"{version}{version}{version}", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Of_redis_goes_through_whichever_leader_dies_between_two_commands()
    {
        Assert.SkipWhen(DockerEngine.WhyNot is not null, DockerEngine.WhyNot ?? "");
        Assert.SkipUnless(File.Exists("/usr/bin/redis-server"), "there is no /usr/bin/redis-server (Debian: redis-server)");
        Programs.Need();
        await using DockerEngine engine = await DockerEngine.StartAsync();
        await engine.ImportRedisAsync();
        await using SkepCluster c = await SkepCluster.StartManagersAsync(3, 0, "--engine-addr", "unix://" + engine.Socket);
        await GoAsync(
            c,
            ["--image", "redis:3.0.5"],
            ["--image", "redis:3.0.6"],
            ["--image", "redis:3.0.7"],
            (task, version) => task.Spec.Container.Image.StartsWith($"redis:3.0.{version + 4}", StringComparison.Ordinal));
        await Wait.Until("its containers are gone", async () => (await engine.ContainersAsync()).Count == 0, c.LogsAsync);
    }

    private static async Task GoAsync(SkepCluster c, string[] first, string[] second, string[] third, Func<SwarmTask, int, bool> isOf)
    {
        Assert.Contains("SWMTKN-", await c.OkAsync("cluster", "inspect", "default"), StringComparison.Ordinal);

        await KilledAsync(c);
        string nodes = await c.OkAsync("node", "ls");
        Assert.Equal(3, Regex.Count(nodes, @"(?m)^[0-9a-z]{25}  node-[123] +ACCEPTED +\S+ +ACTIVE +(REACHABLE|UNREACHABLE)"));
        Assert.Single(Regex.Matches(nodes, @"REACHABLE \*"));

        await KilledAsync(c);
        await c.OkAsync(["service", "create", "--name", "redis", .. first]);

        await KilledAsync(c);
        await c.RunsAsync("redis", 1, t => isOf(t, 1));
        Assert.Matches("redis .* 1/1", await c.OkAsync("service", "ls"));

        await KilledAsync(c);
        Assert.Matches(@"Replicas +: 1/1", await c.OkAsync("service", "inspect", "redis"));

        await KilledAsync(c);
        await c.OkAsync("service", "update", "redis", "--replicas", "6");

        await KilledAsync(c);
        await c.RunsAsync("redis", 6, t => isOf(t, 1));
        await c.OkAsync(["service", "update", "redis", .. second]);

        await KilledAsync(c);
        await c.RunsAsync("redis", 6, t => isOf(t, 2));
        await CompletedAsync(c);
        await c.OkAsync(["service", "update", "redis", .. third, "--update-parallelism", "2", "--update-delay", "3s"]);

        await KilledAsync(c);
        string inspected = await c.OkAsync("service", "inspect", "redis");
        Assert.Matches(@"Update Status *\n State +: UPDATING", inspected);
        await c.RunsAsync("redis", 6, t => isOf(t, 3));
        await CompletedAsync(c);

        await KilledAsync(c);
        Assert.Matches(@"Update Status *\n State +: COMPLETED", await c.OkAsync("service", "inspect", "redis"));
        await c.ReadyAsync(3);
        await c.RunsAsync("redis", 6, t => isOf(t, 3));
        await c.RemoveAsync("redis");
    }

    private static Task CompletedAsync(SkepCluster c) => Wait.Until(
        "the update completes", async () => (await c.ServiceAsync("redis")).UpdateStatus.State == UpdateStatus.Types.UpdateState.Completed, c.LogsAsync);

    // The next command goes to a survivor at once, while the killed one starts.
    private static async Task KilledAsync(SkepCluster c)
    {
        await Task.WhenAll(c.Daemons.Select(d => c.TakesPartAsync(d, 3)));
        (await c.KillLeaderAsync()).Start();
    }
}
