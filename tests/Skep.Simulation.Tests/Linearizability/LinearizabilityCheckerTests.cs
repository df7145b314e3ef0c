namespace Skep.Simulation.Tests;

public sealed class LinearizabilityCheckerTests
{
    [Fact]
    public void Reads_between_the_writes_they_saw_are_fine() =>
        Assert.True(LinearizabilityChecker.IsLinearizable([Read(0, 0, 1), Put(1, 2, 5), Read(1, 3, 4), Put(2, 6, 9), Read(1, 7, 8), Read(2, 10, 11)]));

    [Fact]
    public void A_read_that_misses_a_finished_write_is_not() =>
        Assert.False(LinearizabilityChecker.IsLinearizable([Put(1, 0, 1), Put(2, 2, 3), Read(1, 4, 5)]));

    [Fact]
    public void Two_reads_that_see_two_writes_in_opposite_order_are_not() =>
        Assert.False(LinearizabilityChecker.IsLinearizable([Put(1, 0, 20), Put(2, 1, 21), Read(1, 2, 3), Read(2, 4, 5), Read(1, 6, 7)]));

    [Fact]
    public void A_write_without_an_answer_may_happen_late() =>
        Assert.True(LinearizabilityChecker.IsLinearizable([Put(1, 0, null), Read(0, 1, 2), Put(2, 3, 4), Read(2, 5, 6), Read(1, 7, 8)]));

    [Fact]
    public void A_write_without_an_answer_happens_once() =>
        Assert.False(LinearizabilityChecker.IsLinearizable([Put(1, 0, null), Read(1, 1, 2), Put(2, 3, 4), Read(1, 5, 6), Read(2, 7, 8), Read(1, 9, 10)]));

    private static Operation Put(int value, long began, long? ended) => new(true, value, began, ended);

    private static Operation Read(int value, long began, long ended) => new(false, value, began, ended);
}
