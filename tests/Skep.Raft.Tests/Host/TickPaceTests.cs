namespace Skep.Raft.Tests.Host;

public sealed class TickPaceTests
{
    private const int Now = 1_003;
    private const int Election = 700;

    private readonly TickPace _pace = new(heartbeatMs: 50);

    [Fact]
    public void A_group_begins_at_the_pace_of_a_busy_one()
    {
        _pace.Observe(ticked: false, TickCause.Heartbeats, term: 1, last: 5, commit: 5);
        Assert.Equal(1_008, _pace.NextMs(Now, Election));
    }

    [Fact]
    public void A_leader_at_rest_looks_at_the_clock_when_it_is_to_tell_that_it_lives()
    {
        Rest(TickCause.Heartbeats);
        Assert.Equal(1_100, _pace.NextMs(Now, Election));
        Assert.Equal(1_200, _pace.NextMs(1_104, Election));
    }

    [Fact]
    public void Ticks_of_a_leader_at_rest_are_as_far_apart_as_its_heartbeats_even_when_one_is_late() =>
        Assert.InRange(TickPace.RestHeartbeatMs(50), 85, 95);

    [Fact]
    public void A_leader_whose_members_lag_looks_twice_in_a_heartbeat()
    {
        Rest(TickCause.Laggards);
        Assert.Equal(1_025, _pace.NextMs(Now, Election));
    }

    [Fact]
    public void A_follower_at_rest_is_on_time_for_an_election()
    {
        Rest(TickCause.Leader);
        Assert.Equal(Now + 170, _pace.NextMs(Now, untilElectionMs: 170));
        Assert.Equal(Now + 1, _pace.NextMs(Now, untilElectionMs: -3));
    }

    [Fact]
    public void A_follower_at_rest_looks_at_the_clock_now_and_then_before_it_is_due()
    {
        Rest(TickCause.Leader);
        Assert.Equal(Now + 250, _pace.NextMs(Now, Election));
    }

    [Fact]
    public void A_member_without_a_leader_looks_at_the_clock_as_often_as_it_asks_for_votes()
    {
        Rest(TickCause.Election);
        Assert.Equal(Now + 50, _pace.NextMs(Now, Election));
        Assert.Equal(Now + 20, _pace.NextMs(Now, untilElectionMs: 20));
    }

    [Fact]
    public void A_command_quickens_a_group_at_rest_at_once()
    {
        Rest(TickCause.Leader);
        Assert.True(_pace.Observe(ticked: false, TickCause.Leader, term: 1, last: 6, commit: 5));
        Assert.Equal(1_008, _pace.NextMs(Now, Election));
        Assert.False(_pace.Observe(ticked: true, TickCause.Leader, term: 1, last: 6, commit: 6));
    }

    [Fact]
    public void Under_load_it_is_the_same_pace_whoever_lags()
    {
        _pace.Observe(ticked: true, TickCause.Laggards, term: 1, last: 5, commit: 5);
        Assert.False(_pace.Observe(ticked: false, TickCause.Heartbeats, term: 1, last: 5, commit: 5));
    }

    [Fact]
    public void Turns_that_the_clock_did_not_give_are_no_rest()
    {
        for (int i = 0; i < 100; i++)
        {
            _pace.Observe(ticked: false, TickCause.Leader, term: 1, last: 5, commit: 5);
        }
        Assert.Equal(1_008, _pace.NextMs(Now, Election));
    }

    [Fact]
    public void A_member_alone_hardly_looks_at_the_clock_until_another_comes()
    {
        _pace.Observe(ticked: true, TickCause.None, term: 1, last: 5, commit: 5);
        Assert.Equal(2_000, _pace.NextMs(Now, Election));
        Assert.False(_pace.Observe(ticked: false, TickCause.None, term: 1, last: 6, commit: 6));
        Assert.True(_pace.Observe(ticked: false, TickCause.Laggards, term: 1, last: 7, commit: 6));
        Assert.Equal(1_008, _pace.NextMs(Now, Election));
    }

    private void Rest(TickCause cause)
    {
        for (int i = 0; i < 20; i++)
        {
            _pace.Observe(ticked: true, cause, term: 1, last: 5, commit: 5);
        }
    }
}
