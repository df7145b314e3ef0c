using System.Text.RegularExpressions;
using Docker.Swarmkit.V1;
using Skep.Acceptance.Harness;
using Skep.TestEngine;

namespace Skep.Acceptance.Running;

/// <summary>Three nodes on one engine of the tests' own, with stand-ins for redis.</summary>
public sealed class ContainerNodes : IAsyncLifetime
{
    private DockerEngine? engine;
    private SkepCluster? cluster;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    internal async Task<(SkepCluster Cluster, DockerEngine Engine)> GetAsync()
    {
        Assert.SkipWhen(DockerEngine.WhyNot is not null, DockerEngine.WhyNot ?? "");
        Assert.SkipUnless(File.Exists("/usr/bin/redis-server"), "there is no /usr/bin/redis-server (Debian: redis-server)");
        Programs.Need();
        if (cluster is null)
        {
            engine = await DockerEngine.StartAsync();
            await engine.ImportRedisAsync();
            cluster = await SkepCluster.StartAsync(2, "5s", "--engine-addr", "unix://" + engine.Socket);
            await Wait.Until("the nodes show their engine", async () => (await cluster.NodesAsync()).All(n => n.Description.Engine.EngineVersion.Length > 0), cluster.LogsAsync);
        }
        return (cluster, engine!);
    }

    internal async Task TellAsync()
    {
        if (cluster is not null && TestContext.Current.TestState?.Result == TestResult.Failed)
        {
            TestContext.Current.TestOutputHelper?.WriteLine(await cluster.LogsAsync());
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (cluster is not null)
        {
            await cluster.DisposeAsync();
        }
        if (engine is not null)
        {
            await engine.DisposeAsync();
        }
    }
}

public sealed class Services_of_containers(ContainerNodes nodes) : IClassFixture<ContainerNodes>, IAsyncDisposable
{
    public ValueTask DisposeAsync() => new(nodes.TellAsync());

    [Fact]
    public async Task The_transcript_of_redis_goes_word_for_word()
    {
        (SkepCluster c, DockerEngine engine) = await nodes.GetAsync();
        await c.OkAsync("service", "create", "--name", "redis", "--image", "redis:3.0.5");
        await c.RunsAsync("redis", 1);
        Assert.Matches(
            @"^ID +Name +Image +Replicas *\n-- +---- +----- +-------- *\n[0-9a-z]{25}  redis  redis:3\.0\.5  1/1 *\n$", await c.OkAsync("service", "ls"));
        await c.OkAsync("service", "update", "redis", "--replicas", "6");
        await c.RunsAsync("redis", 6);
        await c.OkAsync("service", "update", "redis", "--image", "redis:3.0.6");
        await c.RunsAsync("redis", 6, t => t.Spec.Container.Image.StartsWith("redis:3.0.6", StringComparison.Ordinal));
        await Wait.Until("the update completes", async () => (await c.ServiceAsync("redis")).UpdateStatus.State == UpdateStatus.Types.UpdateState.Completed);

        await c.OkAsync("service", "update", "redis", "--image", "redis:3.0.7", "--update-parallelism", "2", "--update-delay", "3s");
        string seen = "";
        await Wait.Until(
            "the update is seen half way",
            async () => (seen = await c.OkAsync("service", "inspect", "redis")).Contains("redis:3.0.6", StringComparison.Ordinal) && Regex.Count(seen, @"redis:3\.0\.7 ") >= 2,
            () => Task.FromResult(seen));
        Assert.Matches(@"Update Status *\n State +: UPDATING\n Started +: .* ago\n Message +: update in progress\nTemplate *\n Container *\n  Image +: redis:3\.0\.7\n", seen.Replace(": now\n", ": 0 seconds ago\n", StringComparison.Ordinal));
        await c.RunsAsync("redis", 6, t => t.Spec.Container.Image.StartsWith("redis:3.0.7", StringComparison.Ordinal));
        Assert.Equal(6, (await engine.ContainersAsync()).Count(x => x.GetProperty("State").GetString() == "running"));
        await c.RemoveAsync("redis");
        await Wait.Until("its containers are gone", async () => (await engine.ContainersAsync()).Count == 0, c.LogsAsync);
    }

    [Fact]
    public async Task An_image_that_is_nowhere_is_REJECTED_with_the_engines_words_and_tried_again_with_patience()
    {
        (SkepCluster c, _) = await nodes.GetAsync();
        await c.OkAsync("service", "create", "--name", "nowhere", "--image", "nobody/nothing:1", "--restart-delay", "1s");
        await Wait.Until("a second try is rejected, too", async () => (await c.TasksAsync("nowhere")).Count(t => t.Status.State == TaskState.Rejected) >= 2, c.LogsAsync);
        SwarmTask rejected = (await c.TasksAsync("nowhere")).First(t => t.Status.State == TaskState.Rejected);
        Assert.Contains("nobody/nothing:1", rejected.Status.Err, StringComparison.Ordinal);
        Assert.Contains("nobody/nothing:1", await c.OkAsync("service", "why", "nowhere"), StringComparison.Ordinal);
        await c.RemoveAsync("nowhere");
    }

    [Fact]
    public async Task Agents_killed_containers_killed_and_an_engine_started_again_leave_as_many_containers_as_asked_for()
    {
        (SkepCluster c, DockerEngine engine) = await nodes.GetAsync();

        // The delay keeps new containers from starting while the engine goes down: Docker 20.10 leaves the file system of such a one
        // mounted, and cannot remove it any more when it is back ("unlinkat: device or resource busy").
        await c.OkAsync("service", "create", "--name", "box", "--image", "busybox:latest", "--command", "sleep", "--args", "100000", "--replicas", "3", "--restart-delay", "5s");
        IReadOnlyList<SwarmTask> before = await c.RunsAsync("box", 3);

        await c.Daemons[1].KillAsync();
        c.Daemons[1].Start();
        await c.ReadyAsync(3);
        Assert.Equal(before.Select(t => t.Status.Container.ContainerId), (await c.RunsAsync("box", 3)).Select(t => t.Status.Container.ContainerId));

        Assert.Equal(204, await engine.SendAsync(HttpMethod.Post, $"/containers/{before[0].Status.Container.ContainerId}/kill"));
        IReadOnlyList<SwarmTask> mended = await c.RunsAsync("box", 3, t => t.Id != before[0].Id);

        await engine.StopAsync();
        await engine.StartAgainAsync();
        await c.RunsAsync("box", 3, t => mended.All(m => m.Status.Container.Pid != t.Status.Container.Pid));
        await Wait.Until("three containers run", async () => (await engine.ContainersAsync()).Count(x => x.GetProperty("State").GetString() == "running") == 3, c.LogsAsync);
        await c.RemoveAsync("box");
        await Wait.Until("no container is left", async () => (await engine.ContainersAsync()).Count == 0, c.LogsAsync);
    }
}
