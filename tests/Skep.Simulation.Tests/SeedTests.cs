using System.Collections.Concurrent;

namespace Skep.Simulation.Tests;

public sealed class SeedTests(ITestOutputHelper output)
{
    /// <summary>A count, not a time: every machine runs the same. bench/Skep.Bench.Simulate goes on from there.</summary>
    internal static readonly int Seeds = Environment.GetEnvironmentVariable("SKEP_SOAK") == "1" ? 50_000 : 1_500;

    /// <summary>The log itself takes its time.</summary>
    internal static readonly int RealLogSeeds = Seeds / 5;

    [Fact]
    public void No_seed_breaks_an_invariant() => RunAll(Seeds, new WorldOptions());

    [Fact]
    public void No_seed_breaks_an_invariant_on_the_real_log_whose_disks_tear_sectors_and_turn_bits() =>
        RunAll(RealLogSeeds, new WorldOptions { RealLog = true });

    private void RunAll(int seeds, WorldOptions options)
    {
        var failures = new ConcurrentBag<string>();
        long steps = 0, answered = 0, refusals = 0;
        Parallel.For(0, seeds, new ParallelOptions { MaxDegreeOfParallelism = 2 }, seed =>
        {
            try
            {
                var run = Simulation.Run(seed, options);
                Interlocked.Add(ref steps, run.Steps);
                Interlocked.Add(ref answered, run.Answered);
                Interlocked.Add(ref refusals, run.Refusals);
            }
            catch (SimulationFailure e)
            {
                failures.Add($"seed {seed}: {e.Message}");
            }
        });
        output.WriteLine($"{seeds} seeds, {steps} steps, {answered} operations answered, {refusals} starts refused");
        Assert.Empty(failures.Order());
        Assert.True(answered > 20 * seeds, $"only {answered} operations were answered in {seeds} seeds: the storms leave nothing to check");
        Assert.True(options.RealLog == refusals > 0, $"{refusals} starts were refused: spoilt logs {(options.RealLog ? "must be" : "cannot be")}");
    }

    [Theory]
    [InlineData(3, false)]
    [InlineData(21, false)]
    [InlineData(3, true)]
    [InlineData(21, true)]
    public void A_seed_fixes_everything(int seed, bool realLog)
    {
        List<string> first = [], second = [];
        Simulation.Run(seed, new WorldOptions { Trace = first.Add, RealLog = realLog });
        Simulation.Run(seed, new WorldOptions { Trace = second.Add, RealLog = realLog });
        Assert.Equal(first, second);
    }
}
