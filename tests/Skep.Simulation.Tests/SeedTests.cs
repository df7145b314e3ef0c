using System.Collections.Concurrent;

namespace Skep.Simulation.Tests;

public sealed class SeedTests(ITestOutputHelper output)
{
    /// <summary>A count, not a time: every machine runs the same. bench/Skep.Bench.Simulate goes on from there.</summary>
    internal static readonly int Seeds = Environment.GetEnvironmentVariable("SKEP_SOAK") == "1" ? 50_000 : 1_500;

    [Fact]
    public void No_seed_breaks_an_invariant()
    {
        var failures = new ConcurrentBag<string>();
        long steps = 0, answered = 0;
        Parallel.For(0, Seeds, new ParallelOptions { MaxDegreeOfParallelism = 2 }, seed =>
        {
            try
            {
                var run = Simulation.Run(seed, new WorldOptions());
                Interlocked.Add(ref steps, run.Steps);
                Interlocked.Add(ref answered, run.Answered);
            }
            catch (SimulationFailure e)
            {
                failures.Add($"seed {seed}: {e.Message}");
            }
        });
        output.WriteLine($"{Seeds} seeds, {steps} steps, {answered} operations answered");
        Assert.Empty(failures.Order());
        Assert.True(answered > 20 * Seeds, $"only {answered} operations were answered in {Seeds} seeds: the storms leave nothing to check");
    }

    [Theory]
    [InlineData(3)]
    [InlineData(21)]
    public void A_seed_fixes_everything(int seed)
    {
        List<string> first = [], second = [];
        Simulation.Run(seed, new WorldOptions { Trace = first.Add });
        Simulation.Run(seed, new WorldOptions { Trace = second.Add });
        Assert.Equal(first, second);
    }
}
