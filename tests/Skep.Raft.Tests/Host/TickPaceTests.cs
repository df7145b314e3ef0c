namespace Skep.Raft.Tests.Host;

public sealed class TickPaceTests
{
    private readonly TickPace _pace = new(heartbeatMs: 50);

    [Fact]
    public void A_group_begins_at_the_pace_of_a_busy_one() => Assert.Equal(12, _pace.PeriodMs);

    [Fact]
    public void A_group_in_which_nothing_happens_slows_down_but_never_below_its_heartbeats()
    {
        Rest(times: 20);
        Assert.Equal(25, _pace.PeriodMs);
    }

    [Fact]
    public void A_command_quickens_a_group_at_rest_at_once()
    {
        Rest(times: 20);
        Assert.True(_pace.Observe(ticked: false, isAlone: false, term: 1, last: 6, commit: 5));
        Assert.Equal(12, _pace.PeriodMs);
        Assert.False(_pace.Observe(ticked: true, isAlone: false, term: 1, last: 6, commit: 6));
    }

    [Fact]
    public void Turns_that_the_clock_did_not_give_are_no_rest()
    {
        for (int i = 0; i < 100; i++)
        {
            _pace.Observe(ticked: false, isAlone: false, term: 1, last: 5, commit: 5);
        }
        Assert.Equal(12, _pace.PeriodMs);
    }

    [Fact]
    public void A_member_alone_hardly_looks_at_the_clock_until_another_comes()
    {
        Assert.True(_pace.Observe(ticked: true, isAlone: true, term: 1, last: 5, commit: 5));
        Assert.Equal(2000, _pace.PeriodMs);
        Assert.False(_pace.Observe(ticked: false, isAlone: true, term: 1, last: 6, commit: 6));
        Assert.True(_pace.Observe(ticked: false, isAlone: false, term: 1, last: 7, commit: 6));
        Assert.Equal(12, _pace.PeriodMs);
    }

    private void Rest(int times)
    {
        for (int i = 0; i < times; i++)
        {
            _pace.Observe(ticked: true, isAlone: false, term: 1, last: 5, commit: 5);
        }
    }
}
