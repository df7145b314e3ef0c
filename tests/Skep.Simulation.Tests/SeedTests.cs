namespace Skep.Simulation.Tests;

public sealed class SeedTests
{
    private static readonly int Seeds = Environment.GetEnvironmentVariable("SKEP_SOAK") == "1" ? 40_000 : 800;

    [Fact]
    public void No_seed_breaks_an_invariant()
    {
        var failures = new System.Collections.Concurrent.ConcurrentBag<string>();
        Parallel.For(0, Seeds, new ParallelOptions { MaxDegreeOfParallelism = 2 }, seed =>
        {
            try
            {
                Simulation.Run(seed, new WorldOptions());
            }
            catch (SimulationFailure e)
            {
                failures.Add($"seed {seed}: {e.Message}");
            }
        });
        Assert.Empty(failures.Order());
    }
}
