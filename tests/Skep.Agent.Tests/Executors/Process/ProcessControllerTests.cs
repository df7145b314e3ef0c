using Docker.Swarmkit.V1;
using Google.Protobuf.WellKnownTypes;
using Skep.Agent.Executors;
using Skep.Agent.Executors.Process;
using Skep.Api;
using Skep.V1;
using static Skep.Agent.Tests.Executors.Process.ProcessTasks;

namespace Skep.Agent.Tests.Executors.Process;

public sealed class ProcessControllerTests
{
    [Fact]
    public async Task A_task_is_prepared_started_waited_for_and_removed()
    {
        await using var node = new ProcessTasks();
        var controller = node.Controller(Task("t1", Shell("echo hello; echo there >&2")));
        await controller.PrepareAsync(node.Ct);
        await controller.StartAsync(node.Ct);
        await controller.WaitAsync(node.Ct);
        var status = await controller.GetContainerStatusAsync(node.Ct);
        Assert.True(status!.Pid > 0);
        Assert.Equal(0, status.ExitCode);
        Assert.Equal("hello\n", await node.LogOf(controller, new LogSubscriptionOptions { Streams = { LogStream.Stdout } }));
        Assert.Equal("there\n", await node.LogOf(controller, new LogSubscriptionOptions { Streams = { LogStream.Stderr }, Follow = true }));
        await controller.RemoveAsync(node.Ct);
        Assert.Null(await controller.GetContainerStatusAsync(node.Ct));
    }

    [Fact]
    public async Task A_bad_end_says_how()
    {
        await using var node = new ProcessTasks();
        async Task<TaskExitedException> End(string id, string script, long memory = 0)
        {
            var controller = node.Controller(Task(id, Shell(script), task =>
                task.Spec.Resources = new ResourceRequirements { Limits = new Resources { MemoryBytes = memory } }));
            await controller.PrepareAsync(node.Ct);
            await controller.StartAsync(node.Ct);
            return await Assert.ThrowsAsync<TaskExitedException>(() => controller.WaitAsync(node.Ct));
        }
        Assert.Equal("task: non-zero exit (3)", (await End("t1", "exit 3")).Message);
        Assert.Equal("task: non-zero exit (139): killed by SIGSEGV", (await End("t2", "kill -SEGV $$")).Message);
        var oom = await End("t3", "head -c 100m /dev/zero | tail -c 90m", 16 << 20);
        Assert.Equal("task: non-zero exit (137): out of memory: it needed more than its memory limit", oom.Message);
        Assert.Equal(137, oom.Status!.ExitCode);
    }

    [Fact]
    public async Task An_agent_that_was_killed_finds_its_tasks_again_and_starts_none_twice()
    {
        await using var node = new ProcessTasks();
        var task = Task("t1", Shell("trap 'exit 0' TERM; echo up; while :; do sleep 0.01; done"));
        await node.Controller(task).StartAsync(node.Ct);
        var pid = (await node.Controller(task).GetContainerStatusAsync(node.Ct))!.Pid;
        await node.RestartAgent();
        await node.Executor.RemoveOrphansAsync(new HashSet<string> { "t1" }, node.Ct);
        var controller = node.Controller(task);
        await controller.StartAsync(node.Ct);
        Assert.Equal(pid, (await controller.GetContainerStatusAsync(node.Ct))!.Pid);
        var waiting = controller.WaitAsync(node.Ct);
        await controller.LogsAsync(new LogSubscriptionOptions { Follow = true }, (_, _) =>
            new ValueTask(node.Controller(task).ShutdownAsync(node.Ct)), node.Ct);
        await waiting;
        Assert.Equal("up\n", await node.LogOf(controller, new LogSubscriptionOptions()));
    }

    [Fact]
    public async Task What_no_known_task_has_is_removed()
    {
        await using var node = new ProcessTasks();
        await node.Controller(Task("known", Shell("sleep 1000"))).StartAsync(node.Ct);
        await node.Controller(Task("orphan", Shell("sleep 1000"))).StartAsync(node.Ct);
        await node.RestartAgent();
        await node.Executor.RemoveOrphansAsync(new HashSet<string> { "known" }, node.Ct);
        Assert.NotNull(await node.Controller(Task("known", new ProcessSpec())).GetContainerStatusAsync(node.Ct));
        Assert.Null(await node.Controller(Task("orphan", new ProcessSpec())).GetContainerStatusAsync(node.Ct));
    }

    [Fact]
    public async Task A_task_begun_before_leftovers_were_looked_for_is_none()
    {
        await using var node = new ProcessTasks();
        var controller = node.Controller(Task("new", Shell("sleep 1000")));
        await controller.StartAsync(node.Ct);
        await node.Executor.RemoveOrphansAsync(new HashSet<string>(), node.Ct);
        await node.Executor.RemoveOrphansAsync(new HashSet<string>(), node.Ct);
        Assert.NotNull(await controller.GetContainerStatusAsync(node.Ct));
    }

    [Fact]
    public async Task Stopping_what_never_ran_succeeds_and_starts_no_supervisor()
    {
        await using var node = new ProcessTasks();
        var controller = node.Controller(Task("t", Shell("true")));
        await controller.ShutdownAsync(node.Ct);
        await controller.TerminateAsync(node.Ct);
        await controller.RemoveAsync(node.Ct);
        Assert.Null(await controller.GetContainerStatusAsync(node.Ct));
        Assert.False(File.Exists(node.Options.StateDir + "/supervisor.sock"));
    }

    [Fact]
    public async Task A_program_that_is_not_there_ends_the_task_with_its_name()
    {
        await using var node = new ProcessTasks();
        var controller = node.Controller(Task("t", new ProcessSpec { Command = { "/no/such/program" } }));
        await controller.PrepareAsync(node.Ct);
        var refusal = await Assert.ThrowsAsync<TaskRejectedException>(() => controller.StartAsync(node.Ct));
        Assert.Equal("command: cannot execute '/no/such/program': No such file or directory", refusal.Message);
    }

    [Fact]
    public async Task Without_a_supervisor_program_the_task_waits_and_says_so()
    {
        await using var node = new ProcessTasks();
        await using var broken = new ProcessExecutor(
            node.Options with { SupervisorProgram = "/no/such/supervisor" }, Microsoft.Extensions.Logging.Abstractions.NullLoggerFactory.Instance);
        var controller = broken.CreateController(Task("t", Shell("true")), new Dependencies());
        var problem = await Assert.ThrowsAsync<TaskTemporaryException>(() => controller.PrepareAsync(node.Ct));
        Assert.Contains("/no/such/supervisor cannot be started", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Secrets_and_configs_are_files_with_owner_and_mode()
    {
        await using var node = new ProcessTasks();
        var spec = Shell("cd /run/secrets; cat token app/conf; stat -c '%u %g %a' token app/conf");
        spec.User = "1234";
        spec.Secrets.Add(new SecretReference
        {
            SecretId = "s1",
            SecretName = "token",
            File = new FileTarget { Name = "token", Uid = "1234", Gid = "5", Mode = 0x100 },
        });
        spec.Configs.Add(new ConfigReference
        {
            ConfigId = "c1",
            ConfigName = "conf",
            File = new FileTarget { Name = "/run/secrets/app/conf", Uid = "0", Gid = "0", Mode = 0x124 },
        });
        var controller = node.Controller(Task("t", spec), new Dependencies { Contents = { ["s1"] = "secret\n", ["c1"] = "config\n" } });
        await controller.StartAsync(node.Ct);
        await controller.WaitAsync(node.Ct);
        Assert.Equal("secret\nconfig\n1234 5 400\n0 0 444\n", await node.LogOf(controller, new LogSubscriptionOptions()));
        Assert.False(File.Exists("/run/secrets/token"));
    }

    [Fact]
    public async Task Logs_know_tail_skip_and_since()
    {
        await using var node = new ProcessTasks();
        var controller = node.Controller(Task("t", Shell("seq 1 5")));
        await controller.StartAsync(node.Ct);
        await controller.WaitAsync(node.Ct);
        Assert.Equal("4\n5\n", await node.LogOf(controller, new LogSubscriptionOptions { Tail = -3 }));
        Assert.Equal("", await node.LogOf(controller, new LogSubscriptionOptions { Tail = -1 }));
        Assert.Equal("4\n5\n", await node.LogOf(controller, new LogSubscriptionOptions { Tail = 3 }));
        Assert.Equal("", await node.LogOf(controller, new LogSubscriptionOptions
        {
            Since = Timestamp.FromDateTimeOffset(DateTimeOffset.UtcNow.AddHours(1)),
        }));
    }

    [Fact]
    public async Task The_node_is_described_without_an_engine_but_with_its_runtime()
    {
        await using var node = new ProcessTasks();
        var description = await node.Executor.DescribeAsync(node.Ct);
        Assert.False(NodeTraits.HasEngine(description));
        Assert.True(NodeTraits.HasRuntime(description, "process"));
        Assert.True(node.Executor.Handles(Task("t", new ProcessSpec())));
        Assert.False(node.Executor.Handles(new SwarmTask { Spec = new TaskSpec { Container = new ContainerSpec() } }));
    }
}
