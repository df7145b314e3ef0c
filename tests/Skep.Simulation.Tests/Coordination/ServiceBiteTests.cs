namespace Skep.Simulation.Tests;

/// <summary>
/// The simulation finds what it is there to find: with each of these mistakes put around the members, a seed of those that
/// <see cref="ServiceSeedTests"/> runs breaks the promise that the mistake is about.
/// </summary>
public sealed class ServiceBiteTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(nameof(Mistake.DuplicatesDone), "at most once", "exactly once", "order of answers", "writes", "sequential names")]
    [InlineData(nameof(Mistake.ExpiryOfAnyEpoch), "expiry")]
    [InlineData(nameof(Mistake.DeadlinesKept), "expiry")]
    [InlineData(nameof(Mistake.HeardNotTold), "expiry")]
    [InlineData(nameof(Mistake.ReadsWithoutBarrier), "freshness", "linearizability")]
    [InlineData(nameof(Mistake.EventsAfterAnswers), "watches")]
    [InlineData(nameof(Mistake.ClientsKeptOverSnapshot), "watches", "liveness")]
    [InlineData(nameof(Mistake.MembersNotTold), "leftovers")]
    [InlineData(nameof(Mistake.OlderReadOnly), "monotonic reads")]
    [InlineData(nameof(Mistake.AnotherPassed), "containers")]
    [InlineData(nameof(Mistake.NothingPasses), "leftovers")]
    public void A_mistake_of_a_member_is_found_by_what_its_clients_see(string name, params string[] promises)
    {
        var options = new ServiceOptions { Mistake = Enum.Parse<Mistake>(name) };
        int failed = int.MaxValue;
        SimulationFailure? failure = null;
        var sync = new object();
        Parallel.For(0, ServiceSeedTests.Seeds, new ParallelOptions { MaxDegreeOfParallelism = 2 }, (seed, loop) =>
        {
            try
            {
                ServiceSimulation.Run(seed, options);
            }
            catch (SimulationFailure e)
            {
                // Lower seeds are still run, so that the first one is the same every time.
                loop.Break();
                lock (sync)
                {
                    (failed, failure) = seed < failed ? (seed, e) : (failed, failure);
                }
            }
        });
        output.WriteLine(failure is null ? $"{name}: not found" : $"{name}: seed {failed}: {failure.Message}");
        Assert.Contains(failure?.Invariant, promises);
    }
}
