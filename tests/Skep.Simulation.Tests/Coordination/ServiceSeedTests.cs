using System.Collections.Concurrent;

namespace Skep.Simulation.Tests;

public sealed class ServiceSeedTests(ITestOutputHelper output)
{
    /// <summary>A count, not a time: every machine runs the same. bench/Skep.Bench.Simulate --coordination goes on from there.</summary>
    internal static readonly int Seeds = Environment.GetEnvironmentVariable("SKEP_SOAK") == "1" ? 10_000 : 250;

    [Fact]
    public void No_seed_breaks_a_promise_of_the_service()
    {
        var failures = new ConcurrentBag<string>();
        long answers = 0, events = 0, expired = 0, reconnects = 0, changes = 0, readOnly = 0, passed = 0;
        Parallel.For(0, Seeds, new ParallelOptions { MaxDegreeOfParallelism = 2 }, seed =>
        {
            try
            {
                ServiceRun run = ServiceSimulation.Run(seed, new ServiceOptions());
                Interlocked.Add(ref answers, run.Answers);
                Interlocked.Add(ref events, run.Events);
                Interlocked.Add(ref expired, run.Expired);
                Interlocked.Add(ref reconnects, run.Reconnects);
                Interlocked.Add(ref changes, run.Changes);
                Interlocked.Add(ref readOnly, run.ReadOnly);
                Interlocked.Add(ref passed, run.Passed);
            }
            catch (SimulationFailure e)
            {
                failures.Add($"seed {seed}: {e.Message}");
            }
        });
        output.WriteLine($"{Seeds} seeds, {answers} answers, {events} events, {expired} sessions expired, {reconnects} reconnects, {changes} changes of members, {readOnly} read-only sessions, {passed} containers and nodes with a time to live removed");
        Assert.Empty(failures.Order());
        Assert.True(
            answers > 200L * Seeds && events > 10L * Seeds && expired > Seeds && reconnects > Seeds && changes > Seeds && readOnly > Seeds / 10 && passed > Seeds,
            $"{answers} answers, {events} events, {expired} expired sessions, {reconnects} reconnects, {changes} changes of members, {readOnly} read-only sessions and {passed} removed containers in {Seeds} seeds: the storms leave too little to check");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void A_seed_fixes_everything(int seed)
    {
        List<string> first = [], second = [];
        ServiceSimulation.Run(seed, new ServiceOptions { Trace = first.Add });
        ServiceSimulation.Run(seed, new ServiceOptions { Trace = second.Add });
        Assert.Equal(first, second);
    }
}
