using Docker.Swarmkit.V1;
using Skep.Agent.Executors;
using static Skep.Agent.Tests.Executors.Docker.DockerRun;

namespace Skep.Agent.Tests.Executors.Docker;

public sealed class DockerControllerTests(EngineFixture fixture)
{
    private async Task<DockerRun> NewRunAsync() => new(await fixture.GetAsync());

    [Fact]
    public async Task A_task_is_prepared_started_watched_and_removed_as_one_container()
    {
        await using var run = await NewRunAsync();
        var task = Shell("echo hello; sleep 1000");
        var controller = run.Controller(task);
        await controller.PrepareAsync(Within());
        await controller.StartAsync(Within());

        var status = await controller.GetContainerStatusAsync(Within());
        Assert.NotNull(status);
        Assert.True(status.Pid > 0);
        var container = await run.Engine.GetAsync($"/containers/{status.ContainerId}/json");
        Assert.Equal($"/web.1.{task.Id}", container.GetProperty("Name").GetString());
        var labels = container.GetProperty("Config").GetProperty("Labels");
        Assert.Equal(task.Id, labels.GetProperty("com.docker.swarm.task.id").GetString());
        Assert.Equal("web", labels.GetProperty("com.docker.swarm.service.name").GetString());
        Assert.Equal("node1", labels.GetProperty("com.docker.swarm.node.id").GetString());

        await controller.RemoveAsync(Within());
        Assert.Null(await controller.GetContainerStatusAsync(Within()));
    }

    [Fact]
    public async Task Each_step_can_be_taken_again_in_a_later_life_and_nothing_is_made_twice()
    {
        await using var run = await NewRunAsync();
        var task = Shell("sleep 1000");
        var first = run.Controller(task);
        await first.PrepareAsync(Within());
        await first.PrepareAsync(Within());
        await first.StartAsync(Within());
        var before = await first.GetContainerStatusAsync(Within());

        await using var later = new DockerRun(run.Engine, run.StateDirectory);
        var second = later.Controller(task);
        await second.PrepareAsync(Within());
        await second.StartAsync(Within());
        Assert.Equal(before, await second.GetContainerStatusAsync(Within()));
    }

    [Fact]
    public async Task Waiting_ends_when_the_container_does()
    {
        await using var run = await NewRunAsync();
        Assert.Equal("done\n", await run.OutputOfAsync(Shell("sleep 0.2; echo done")));
    }

    [Fact]
    public async Task An_exit_code_other_than_0_is_a_failure_with_that_code()
    {
        await using var run = await NewRunAsync();
        var controller = run.Controller(Shell("exit 3"));
        await controller.PrepareAsync(Within());
        await controller.StartAsync(Within());
        var exit = await Assert.ThrowsAsync<TaskExitedException>(() => controller.WaitAsync(Within()));
        Assert.Equal("task: non-zero exit (3)", exit.Message);
        Assert.Equal(3, exit.Status!.ExitCode);
    }

    [Fact]
    public async Task A_container_that_is_removed_by_hand_is_a_failure()
    {
        await using var run = await NewRunAsync();
        var controller = run.Controller(Shell("sleep 1000"));
        await controller.PrepareAsync(Within());
        await controller.StartAsync(Within());
        var wait = controller.WaitAsync(Within());
        var id = (await controller.GetContainerStatusAsync(Within()))!.ContainerId;
        await run.Engine.SendAsync(HttpMethod.Delete, $"/containers/{id}?force=1");
        await Assert.ThrowsAnyAsync<Exception>(() => wait);
        Assert.IsNotType<OperationCanceledException>(wait.Exception?.InnerException);
    }

    [Fact]
    public async Task Shutdown_sends_the_stop_signal_and_waits_for_the_grace_period()
    {
        await using var run = await NewRunAsync();
        var task = Shell("trap 'echo caught; exit 0' USR1; while :; do sleep 0.1; done", t => t.Spec.Container.StopSignal = "SIGUSR1");
        var controller = run.Controller(task);
        await controller.PrepareAsync(Within());
        await controller.StartAsync(Within());
        await controller.ShutdownAsync(Within());
        Assert.Equal("caught\n", await LogOfAsync(controller));

        // Once more changes nothing, and one that never was is stopped already.
        await controller.ShutdownAsync(Within());
        await run.Controller(Shell("true")).ShutdownAsync(Within());
    }

    [Fact]
    public async Task An_image_that_is_nowhere_is_rejected_in_the_engines_words()
    {
        await using var run = await NewRunAsync();
        var controller = run.Controller(NewTask(t => t.Spec.Container.Image = "nowhere:1"));
        var rejected = await Assert.ThrowsAsync<TaskRejectedException>(() => controller.PrepareAsync(Within()));
        Assert.StartsWith("No such image: nowhere:1", rejected.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_bind_of_a_path_that_does_not_exist_is_rejected_in_the_engines_words()
    {
        await using var run = await NewRunAsync();
        var task = NewTask(t => t.Spec.Container.Mounts.Add(new Mount { Type = Mount.Types.Type.Bind, Source = "/does/not/exist", Target = "/x" }));
        var rejected = await Assert.ThrowsAsync<TaskRejectedException>(() => run.Controller(task).PrepareAsync(Within()));
        Assert.Contains("bind source path does not exist", rejected.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_engine_that_does_not_answer_is_a_matter_of_time()
    {
        await using var run = await NewRunAsync();
        await using var executor = new Agent.Executors.Docker.DockerExecutor(
            new() { Socket = Path.Combine(run.StateDirectory, "none.sock"), StateDirectory = run.StateDirectory },
            Microsoft.Extensions.Logging.Abstractions.NullLogger<Agent.Executors.Docker.DockerExecutor>.Instance);
        await using var controller = executor.CreateController(Shell("true"), run.Files);
        var temporary = await Assert.ThrowsAsync<TaskTemporaryException>(() => controller.PrepareAsync(Within()));
        Assert.Contains("does not answer", temporary.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<TaskTemporaryException>(() => executor.DescribeAsync(Within()));
    }

    [Fact]
    public async Task A_container_with_a_health_check_has_started_once_it_is_healthy()
    {
        await using var run = await NewRunAsync();
        var task = Shell("sleep 0.5; touch /tmp/ready; sleep 1000", Healthy("test -f /tmp/ready"));
        var controller = run.Controller(task);
        await controller.PrepareAsync(Within());
        await controller.StartAsync(Within());
        var state = (await run.Engine.GetAsync($"/containers/web.1.{task.Id}/json")).GetProperty("State");
        Assert.Equal("healthy", state.GetProperty("Health").GetProperty("Status").GetString());
    }

    [Fact]
    public async Task A_container_that_becomes_unhealthy_is_stopped_and_has_failed()
    {
        await using var run = await NewRunAsync();
        var task = Shell("touch /tmp/ready; sleep 1; rm /tmp/ready; sleep 1000", Healthy("test -f /tmp/ready"));
        var controller = run.Controller(task);
        await controller.PrepareAsync(Within());
        await controller.StartAsync(Within());
        var failed = await Assert.ThrowsAsync<TaskRejectedException>(() => controller.WaitAsync(Within()));
        Assert.Equal("unhealthy container", failed.Message);
        var state = (await run.Engine.GetAsync($"/containers/web.1.{task.Id}/json")).GetProperty("State");
        Assert.False(state.GetProperty("Running").GetBoolean());
    }

    [Fact]
    public async Task Containers_of_this_node_that_belong_to_no_task_are_removed()
    {
        await using var run = await NewRunAsync();
        var (kept, lost) = (Shell("sleep 1000"), Shell("sleep 1000"));
        foreach (var task in new[] { kept, lost })
        {
            var controller = run.Controller(task);
            await controller.PrepareAsync(Within());
            await controller.StartAsync(Within());
        }

        await using var later = new DockerRun(run.Engine, run.StateDirectory);
        await using var other = new DockerRun(run.Engine);
        await other.Executor.RemoveOrphansAsync(new HashSet<string>(), Within());
        await later.Executor.RemoveOrphansAsync(new HashSet<string> { kept.Id }, Within());
        var names = (await run.Engine.ContainersAsync()).Select(c => c.GetProperty("Names")[0].GetString()).ToList();
        Assert.Contains($"/web.1.{kept.Id}", names);
        Assert.DoesNotContain($"/web.1.{lost.Id}", names);
    }

    [Fact]
    public async Task The_engine_describes_the_node()
    {
        await using var run = await NewRunAsync();
        var description = await run.Executor.DescribeAsync(Within());
        Assert.NotEmpty(description.Engine.EngineVersion);
        Assert.Equal("linux", description.Platform.Os);
        Assert.True(description.Resources.NanoCpus >= 1_000_000_000);
        Assert.True(description.Resources.MemoryBytes > 0);
        Assert.Contains(description.Engine.Plugins, p => p is { Type: "Volume", Name: "local" });
        Assert.Contains(description.Engine.Plugins, p => p is { Type: "Network", Name: "bridge" });
        Assert.Contains(description.Engine.Plugins, p => p is { Type: "Log", Name: "json-file" });
    }

    private static Action<SwarmTask> Healthy(string test) => t => t.Spec.Container.Healthcheck = new HealthConfig
    {
        Test = { "CMD-SHELL", test },
        Interval = new() { Nanos = 200_000_000 },
        Timeout = new() { Seconds = 5 },
        Retries = 2,
        StartPeriod = new() { Seconds = 10 },
    };
}
