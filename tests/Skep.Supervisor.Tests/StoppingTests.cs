using Skep.Supervisor.Protocol;
using static Skep.Supervisor.Tests.SupervisorHarness;

namespace Skep.Supervisor.Tests;

public sealed class StoppingTests
{
    [Fact]
    public async Task The_stop_signal_comes_first()
    {
        await using var h = new SupervisorHarness();
        await h.Client.StartAsync(Shell("t", "trap 'echo bye; exit 3' USR1; echo ready; while :; do sleep 0.01; done") with
        {
            StopSignal = 10,
            StopGraceMs = 20_000,
        }, h.Ct);
        await h.LineOf("t", "ready");
        await h.Client.StopAsync("t", 0, -1, h.Ct);
        Assert.Equal(3, (await h.EndOf("t")).ExitCode);
        Assert.EndsWith("bye\n", await h.LogOf("t"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_ignores_it_is_killed_after_the_grace_with_all_it_started()
    {
        await using var h = new SupervisorHarness();
        // A grandchild in a session of its own, orphaned and deaf: only its cgroup tells whose it is.
        await h.Client.StartAsync(Shell("t",
            "trap '' TERM; setsid sh -c 'trap \"\" TERM; (trap \"\" TERM; echo $$; exec sleep 1000) & exit 0'; sh -c 'sleep 1000' & echo ready; while :; do sleep 1; done"), h.Ct);
        await h.LineOf("t", "ready");
        Assert.SkipWhen(h.CgroupFolders().Count == 0, "no cgroup can be had here");
        var pids = h.CgroupFolders().Select(f => f + "/task-t/cgroup.procs").Where(File.Exists)
            .SelectMany(File.ReadAllLines).Distinct().ToList();
        Assert.True(pids.Count >= 4, string.Join(' ', pids));
        await h.Client.StopAsync("t", 0, 100, h.Ct);
        var end = await h.EndOf("t");
        Assert.Equal((9, 137), (end.Signal, end.ExitCode));
        Assert.All(pids, pid => Assert.False(Alive(pid), $"{pid} lives"));
        Assert.All(h.CgroupFolders(), folder => Assert.False(Directory.Exists(folder + "/task-t")));
    }

    [Fact]
    public async Task What_a_task_leaves_behind_when_it_ends_by_itself_is_killed()
    {
        await using var h = new SupervisorHarness();
        var end = await h.RunAsync(Shell("t", "setsid sleep 1000 & echo $!; exit 0"));
        Assert.Equal(0, end.ExitCode);
        Assert.False(Alive((await h.LogOf("t")).Trim()));
    }

    [Fact]
    public async Task Removing_kills_and_forgets()
    {
        await using var h = new SupervisorHarness();
        await h.Client.StartAsync(Shell("t", "sleep 1000"), h.Ct);
        var pid = (await h.Client.FindAsync("t", h.Ct))!.Pid;
        await h.Client.RemoveAsync("t", h.Ct);
        Assert.False(Alive(pid.ToString()));
        Assert.Null(await h.Client.FindAsync("t", h.Ct));
        Assert.False(Directory.Exists(h.StateDir + "/processes/t"));
    }

    [Fact]
    public async Task A_memory_limit_kills_and_is_named()
    {
        await using var h = new SupervisorHarness();
        Assert.SkipUnless((await h.Client.WelcomeAsync(h.Ct)).MemoryLimits, "no memory cgroup can be had here");
        var end = await h.RunAsync(Shell("t", "head -c 100m /dev/zero | tail -c 90m >/dev/null; echo survived $?") with
        {
            MemoryBytes = 16 * 1024 * 1024,
        });
        Assert.True(end.OomKilled);
    }

    [Fact]
    public async Task A_limit_of_processes_holds()
    {
        await using var h = new SupervisorHarness();
        Assert.SkipUnless((await h.Client.WelcomeAsync(h.Ct)).PidLimits, "no pids cgroup can be had here");
        await h.RunAsync(Shell("t", "for i in 1 2 3 4 5 6; do sleep 60 & done; echo more than five") with { Pids = 5 });
        Assert.DoesNotContain("more than five", await h.LogOf("t"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_limit_of_cpu_is_laid_on_the_task()
    {
        await using var h = new SupervisorHarness();
        Assert.SkipUnless((await h.Client.WelcomeAsync(h.Ct)).CpuLimits, "no cpu cgroup can be had here");
        await h.Client.StartAsync(Shell("t", "sleep 60") with { NanoCpus = 250_000_000 }, h.Ct);
        var limits = h.CgroupFolders().SelectMany(f => (string[])[f + "/task-t/cpu.max", f + "/task-t/cpu.cfs_quota_us"])
            .Where(File.Exists).Select(File.ReadAllText).ToList();
        Assert.Contains(limits, text => text.StartsWith("25000", StringComparison.Ordinal));
    }

    /// <summary>Whether a process runs still; one that is dead and waits to be reaped does not.</summary>
    internal static bool Alive(string pid)
    {
        try
        {
            return !File.ReadAllText($"/proc/{pid}/stat").Split(") ")[^1].StartsWith('Z');
        }
        catch (IOException)
        {
            return false;
        }
    }
}
