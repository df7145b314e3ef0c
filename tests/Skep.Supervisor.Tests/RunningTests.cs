using Skep.Supervisor.Protocol;
using static Skep.Supervisor.Tests.SupervisorHarness;

namespace Skep.Supervisor.Tests;

public sealed class RunningTests
{
    [Fact]
    public async Task A_task_runs_and_its_output_and_exit_code_are_kept()
    {
        await using var h = new SupervisorHarness();
        var end = await h.RunAsync(Shell("t1", "echo out; echo err >&2; exit 7"));
        Assert.Equal((TaskPhase.Exited, 7, 0), (end.Phase, end.ExitCode, end.Signal));
        Assert.Equal("out\n", await h.LogOf("t1", new LogRequest("t1", Stderr: false)));
        Assert.Equal("err\n", await h.LogOf("t1", new LogRequest("t1", Stdout: false)));
    }

    [Fact]
    public async Task A_task_that_ends_at_once_is_never_missed()
    {
        await using var h = new SupervisorHarness();
        var runs = Enumerable.Range(0, 100).Select(i => h.RunAsync(Shell($"quick{i}", $"exit {i}")));
        var ends = await Task.WhenAll(runs);
        Assert.Equal(Enumerable.Range(0, 100), ends.Select(end => end.ExitCode));
    }

    [Fact]
    public async Task It_runs_as_a_user_of_its_own_without_privileges()
    {
        await using var h = new SupervisorHarness();
        await h.RunAsync(Shell("a", "id -u; id -G; grep -E 'CapEff|CapBnd|NoNewPrivs' /proc/self/status; ulimit -n"));
        await h.RunAsync(Shell("b", "id -u"));
        var lines = (await h.LogOf("a")).Split('\n');
        Assert.True(uint.Parse(lines[0]) is >= 0x70000000 and <= 0x7FFFFFFF, lines[0]);
        Assert.Equal(lines[0], lines[1]);
        Assert.Equal("CapEff:\t0000000000000000", lines[2]);
        Assert.Equal("CapBnd:\t0000000000000000", lines[3]);
        Assert.Equal("NoNewPrivs:\t1", lines[4]);
        Assert.Equal("1024", lines[5]);
        Assert.NotEqual(lines[0], (await h.LogOf("b")).Trim());
    }

    [Fact]
    public async Task It_leads_a_session_with_a_clean_slate_of_signals_and_descriptors()
    {
        await using var h = new SupervisorHarness();
        await h.RunAsync(Shell("t", "ps -o pid=,sid= -p $$; grep -E 'SigIgn|SigBlk' /proc/self/status; ls /proc/self/fd | tr '\\n' ' '; umask"));
        var lines = (await h.LogOf("t")).Split('\n');
        var ids = lines[0].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(ids[0], ids[1]);
        Assert.Equal("SigBlk:\t0000000000000000", lines[1]);
        Assert.Equal("SigIgn:\t0000000000000000", lines[2]);
        Assert.Equal("0 1 2 3 0022", lines[3]); // 3 is ls's own
    }

    [Fact]
    public async Task A_named_user_groups_limits_folder_and_environment_are_honoured()
    {
        await using var h = new SupervisorHarness();
        await h.RunAsync(Shell("t", "id -u; id -g; id -G; ulimit -n; pwd; echo $GREETING; hostname; cat /proc/self/oom_score_adj") with
        {
            Uid = 1234,
            Gid = 1235,
            Groups = [4321],
            Directory = "/usr",
            Env = ["PATH=/bin:/usr/bin", "GREETING=hello"],
            ResourceLimits = [new ResourceLimit(7, 77, 77)],
            Hostname = "bee",
            OomScoreAdj = 5,
        });
        Assert.Equal("1234\n1235\n1235 4321\n77\n/usr\nhello\nbee\n5\n", await h.LogOf("t"));
    }

    [Fact]
    public async Task A_program_without_a_slash_is_looked_for_in_the_tasks_path()
    {
        await using var h = new SupervisorHarness();
        var end = await h.RunAsync(new StartRequest { TaskId = "t", Argv = ["true"], Env = ["PATH=/nowhere:/bin"] });
        Assert.Equal(0, end.ExitCode);
    }

    [Fact]
    public async Task What_cannot_start_says_why_and_leaves_nothing()
    {
        await using var h = new SupervisorHarness();
        async Task<string> Refusal(StartRequest request) =>
            (await Assert.ThrowsAsync<Skep.Agent.Executors.Process.SupervisorException>(
                () => h.Client.StartAsync(request, h.Ct))).Message;
        Assert.Equal("command: 'nosuch' is in no folder of the task's PATH on this node",
            await Refusal(new StartRequest { TaskId = "t1", Argv = ["nosuch"] }));
        Assert.Equal("command: cannot execute '/etc/passwd': Permission denied",
            await Refusal(new StartRequest { TaskId = "t2", Argv = ["/etc/passwd"] }));
        Assert.Equal("dir: cannot enter '/nosuch' as the task's user: No such file or directory",
            await Refusal(Shell("t3", "true") with { Directory = "/nosuch" }));
        Assert.StartsWith("task id '../x'", await Refusal(Shell("../x", "true")), StringComparison.Ordinal);
        Assert.Empty(Directory.GetDirectories(h.StateDir + "/processes"));
        Assert.All(h.CgroupFolders(), folder =>
            Assert.Empty(Directory.GetDirectories(folder).Where(f => !f.EndsWith("/supervisor", StringComparison.Ordinal))));
    }

    [Fact]
    public async Task Starting_twice_runs_once()
    {
        await using var h = new SupervisorHarness();
        await h.Client.StartAsync(Shell("t", "echo $$; sleep 60"), h.Ct);
        await h.Client.StartAsync(Shell("t", "echo $$; sleep 60"), h.Ct);
        await h.Client.StopAsync("t", 0, 0, h.Ct);
        await h.EndOf("t");
        Assert.Single((await h.LogOf("t")).Trim().Split('\n'));
    }
}
