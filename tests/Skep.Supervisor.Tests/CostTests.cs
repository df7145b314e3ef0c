using System.Diagnostics;
using static Skep.Supervisor.Tests.SupervisorHarness;

namespace Skep.Supervisor.Tests;

public sealed class CostTests
{
    [Fact]
    public async Task Three_hundred_tasks_start_in_a_moment_and_the_supervisor_stays_small()
    {
        const int Count = 300;
        await using var h = new SupervisorHarness();
        await h.Client.StartAsync(Shell("first", "exec sleep 1000"), h.Ct);
        var pid = await h.SupervisorPid();
        using var supervisor = Process.GetProcessById(pid);
        var before = supervisor.TotalProcessorTime;
        var clock = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(0, Count).Select(i => h.Client.StartAsync(new()
        {
            TaskId = $"t{i}",
            Argv = ["/bin/sleep", "1000"],
        }, h.Ct)));
        var wallMs = clock.Elapsed.TotalMilliseconds;
        supervisor.Refresh();
        var cpuMs = (supervisor.TotalProcessorTime - before).TotalMilliseconds;
        TestContext.Current.SendDiagnosticMessage(
            "{0} tasks: {1:F2} ms wall and {2:F2} ms of the supervisor's CPU each, {3} MB",
            Count, wallMs / Count, cpuMs / Count, supervisor.WorkingSet64 >> 20);
        Assert.True(wallMs < 10_000, $"{wallMs} ms");
        clock.Restart();
        await Task.WhenAll(Enumerable.Range(0, Count).Select(i => h.Client.RemoveAsync($"t{i}", h.Ct)));
        TestContext.Current.SendDiagnosticMessage("{0:F2} ms to kill and remove each", clock.Elapsed.TotalMilliseconds / Count);
    }
}
