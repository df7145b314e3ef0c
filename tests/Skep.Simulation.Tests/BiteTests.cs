using Skep.Raft.Consensus;

namespace Skep.Simulation.Tests;

/// <summary>
/// The simulation finds what it is there to find: with each of these mistakes put into the core, a seed of those that
/// <see cref="SeedTests"/> runs breaks an invariant.
/// </summary>
public sealed class BiteTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(nameof(CoreFaults.AcknowledgeBeforeSync))]
    [InlineData(nameof(CoreFaults.MedianOfReplies))]
    [InlineData(nameof(CoreFaults.CommitEarlierTerm))]
    [InlineData(nameof(CoreFaults.VoteNotDurable))]
    [InlineData(nameof(CoreFaults.ReadWithoutLeaseCheck))]
    [InlineData(nameof(CoreFaults.LeaseKeptThroughTransfer))]
    [InlineData(nameof(CoreFaults.SingleStepChange))]
    public void A_mistake_in_the_core_is_found_by_what_it_does_to_those_who_use_the_group(string fault) =>
        Assert.NotNull(FirstFailure(new WorldOptions { Faults = Enum.Parse<CoreFaults>(fault), LookAtDisks = false }));

    [Theory]
    [InlineData(nameof(CoreFaults.AcknowledgeBeforeSync))]
    [InlineData(nameof(CoreFaults.MedianOfReplies))]
    public void A_commit_that_no_majority_has_on_disk_is_seen_at_once(string fault) =>
        Assert.StartsWith("commit rule", FirstFailure(new WorldOptions { Faults = Enum.Parse<CoreFaults>(fault) }));

    [Fact]
    public void Disks_whose_syncs_do_nothing_are_found() => Assert.NotNull(FirstFailure(new WorldOptions { RealLog = true, DisksLie = true }));

    private string? FirstFailure(WorldOptions options)
    {
        var failed = int.MaxValue;
        string? message = null;
        var sync = new object();
        Parallel.For(0, options.RealLog ? SeedTests.RealLogSeeds : SeedTests.Seeds, new ParallelOptions { MaxDegreeOfParallelism = 2 }, (seed, loop) =>
        {
            try
            {
                Simulation.Run(seed, options);
            }
            catch (SimulationFailure e)
            {
                // Lower seeds are still run, so that the first one is the same every time.
                loop.Break();
                lock (sync)
                {
                    (failed, message) = seed < failed ? (seed, e.Message) : (failed, message);
                }
            }
        });
        output.WriteLine(message is null ? $"{options.Faults}: not found" : $"{options.Faults}: seed {failed}: {message}");
        return message;
    }
}
