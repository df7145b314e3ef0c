using Skep.Supervisor.Protocol;
using static Skep.Supervisor.Tests.SupervisorHarness;

namespace Skep.Supervisor.Tests;

public sealed class SurvivalTests
{
    [Fact]
    public async Task A_task_outlives_the_agents_connection_and_its_end_is_told_to_the_next()
    {
        await using var h = new SupervisorHarness();
        var agent = h.NewClient();
        await agent.StartAsync(Shell("t", "echo up; trap 'exit 5' TERM; while :; do sleep 0.01; done"), h.Ct);
        await agent.DisposeAsync();
        var next = h.NewClient();
        Assert.Equal(TaskPhase.Running, (await next.FindAsync("t", h.Ct))!.Phase);
        await h.LineOf("t", "up");
        await next.StopAsync("t", 0, 20_000, h.Ct);
        Assert.Equal(5, (await next.WaitForEndAsync("t", h.Ct))!.ExitCode);
        await next.DisposeAsync();
        Assert.Equal(5, (await h.EndOf("t")).ExitCode);
    }

    [Fact]
    public async Task A_killed_supervisors_successor_finds_the_task_and_goes_on_with_its_log()
    {
        await using var h = new SupervisorHarness();
        await h.Client.StartAsync(
            Shell("t", "trap 'echo got it; exit 6' TERM; echo one; while :; do echo more; sleep 0.02; done"), h.Ct);
        await h.LineOf("t", "one");
        var pid = (await h.Client.FindAsync("t", h.Ct))!.Pid;
        var waiting = h.EndOf("t");
        await h.KillSupervisor();
        var found = await h.Client.FindAsync("t", h.Ct);
        Assert.Equal((TaskPhase.Running, pid), (found!.Phase, found.Pid));
        await h.Client.StopAsync("t", 0, 20_000, h.Ct);
        var end = await waiting;
        // Linux tells how another's child ended since 6.15; before that only that it has.
        Assert.True(end.ExitCode == 6 || (end.ExitCode == -1 && end.Error.Length > 0), end.ToString());
        var log = await h.LogOf("t");
        Assert.StartsWith("one\n", log, StringComparison.Ordinal);
        Assert.Contains("got it\n", log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_task_that_ended_while_no_supervisor_was_there_is_told_with_that_reason()
    {
        await using var h = new SupervisorHarness();
        await h.Client.StartAsync(Shell("t", "setsid sleep 1000 & echo $!; echo ready; sleep 1000"), h.Ct);
        await h.LineOf("t", "ready");
        var task = await h.Client.FindAsync("t", h.Ct);
        var orphan = (await h.LogOf("t", new LogRequest("t"))).Split('\n')[0];
        var supervisor = await h.SupervisorPid();
        Libc.Stop(supervisor);
        Libc.Kill(task!.Pid);
        // Dead, but not waited for: its parent stands still.
        Assert.True(SpinWait.SpinUntil(() => !StoppingTests.Alive(task.Pid.ToString()), Patience), "the task's death");
        await KillAndWait(supervisor);
        var end = await h.EndOf("t");
        Assert.Equal((TaskPhase.Exited, -1), (end.Phase, end.ExitCode));
        Assert.Equal("it ended while no supervisor watched it; how is not known", end.Error);
        Assert.False(StoppingTests.Alive(orphan));
    }

    [Fact]
    public async Task An_end_is_on_disk_until_the_task_is_removed()
    {
        await using var h = new SupervisorHarness();
        await h.RunAsync(Shell("t", "echo kept; exit 9"));
        await h.KillSupervisor();
        var end = await h.EndOf("t");
        Assert.Equal(9, end.ExitCode);
        Assert.Equal("kept\n", await h.LogOf("t"));
    }

    [Fact]
    public async Task There_is_one_supervisor_a_state_directory()
    {
        await using var h = new SupervisorHarness();
        var pids = await Task.WhenAll(Enumerable.Range(0, 4).Select(async _ => (await h.NewClient().WelcomeAsync(h.Ct)).Pid));
        Assert.Single(pids.Distinct());
    }

    [Fact]
    public async Task A_supervisor_with_nothing_to_do_leaves_no_trace()
    {
        var h = new SupervisorHarness();
        await h.RunAsync(Shell("t", "true"));
        await h.DisposeAsync();
        Assert.Empty(h.CgroupFolders());
        Assert.Empty(Directory.GetDirectories("/run", Path.GetFileName(h.RunName)));
        Assert.Empty(Directory.GetDirectories("/dev/shm", Path.GetFileName(h.RunName)));
    }

    private static class Libc
    {
        public static void Kill(int pid) => Skep.Supervisor.Native.Libc.Kill(pid, 9);

        public static void Stop(int pid) => Skep.Supervisor.Native.Libc.Kill(pid, 19);
    }
}
