using Skep.Raft.Consensus;

namespace Skep.Raft.Tests.Consensus;

public sealed class LeaseTests
{
    [Fact]
    public void A_lease_ends_before_the_promise_of_the_fastest_follower_does()
    {
        var options = new CoreOptions { Id = 1, ElectionTimeoutMs = 1000, ClockDriftBound = 0.1 };
        Assert.True(options.LeaseMs / (1 - options.ClockDriftBound) < options.ElectionTimeoutMs / (1 + options.ClockDriftBound));
    }

    [Fact]
    public void A_read_waits_until_an_entry_of_the_term_is_committed()
    {
        var member = new HandDrivenMember(3);
        member.Lead();
        member.Tick(HandDrivenMember.HeartbeatMs);
        member.AnswerHeartbeat(2);
        member.Read(7);
        Assert.Empty(member.Reads);

        member.Acknowledge(2, 2);
        member.Tick(HandDrivenMember.HeartbeatMs);
        member.AnswerHeartbeat(2);
        Assert.Equal(new ReadState(7, 2), Assert.Single(member.Reads));
    }

    [Fact]
    public void Under_the_lease_a_read_is_answered_at_once_and_after_it_by_a_majority()
    {
        var member = Leader();
        Assert.True(member.Core.LeaseHolds(member.NowMs));
        member.Read(1);
        Assert.Equal(new ReadState(1, 2), Assert.Single(member.Reads));

        // The clock goes on while the process stands still.
        member.Core.LeaseHolds(member.NowMs + 95);
        Assert.False(member.Core.LeaseHolds(member.NowMs + 95));
        member.Tick(95);
        member.Read(2);
        Assert.Single(member.Reads);
        member.AnswerHeartbeat(3);
        Assert.Equal(new ReadState(2, 2), member.Reads[^1]);
    }

    [Fact]
    public void A_lease_is_void_from_the_moment_a_transfer_is_asked_and_stays_so_when_it_is_given_up()
    {
        var member = Leader();
        member.Do(core => Assert.Null(core.Transfer(2)));
        Assert.False(member.Core.LeaseHolds(member.NowMs));
        var order = Assert.Single(member.Sent, m => m.Type == MessageType.TimeoutNow);
        Assert.Equal((member.Core.Term, 2UL), (order.Term, order.Index));
        Assert.Equal(ProposalStatus.Transferring, member.Core.Propose([new byte[1]]).Status);

        for (var i = 0; i < 12; i++)
        {
            member.Tick(HandDrivenMember.HeartbeatMs / 2);
            member.AnswerHeartbeat(3);
        }

        Assert.Equal(Role.Leader, member.Core.Role);
        member.Propose();
        Assert.False(member.Core.LeaseHolds(member.NowMs));
    }

    [Fact]
    public void An_order_to_campaign_that_was_given_for_another_end_of_the_log_is_not_obeyed()
    {
        var member = new HandDrivenMember(3);
        member.Receive(new Message { Type = MessageType.TimeoutNow, From = 2, To = 1, Term = 1, Index = 3 });
        Assert.Equal(Role.Follower, member.Core.Role);

        member.Receive(new Message { Type = MessageType.TimeoutNow, From = 2, To = 1, Term = 1, Index = 1 });
        Assert.Equal(Role.Candidate, member.Core.Role);
    }

    [Theory]
    [InlineData(50, false)]
    [InlineData(101, true)]
    public void A_member_that_has_just_started_keeps_the_promise_it_may_have_given(int afterMs, bool votes)
    {
        var member = new HandDrivenMember(3, new CoreOptions { Id = 1, ElectionTimeoutMs = 100 });
        member.Tick(afterMs);
        member.Receive(new Message { Type = MessageType.Vote, From = 2, To = 1, Term = 9, Index = 5, LogTerm = 5 });
        member.Sync();
        Assert.Equal(votes, member.Sent.Any(m => m is { Type: MessageType.VoteResponse, Reject: false }));
    }

    [Fact]
    public void A_vote_is_sent_when_it_is_on_disk()
    {
        var member = new HandDrivenMember(3, new CoreOptions { Id = 1, ElectionTimeoutMs = 100 });
        member.Tick(101);
        member.Receive(new Message { Type = MessageType.Vote, From = 2, To = 1, Term = 9, Index = 5, LogTerm = 5 });
        Assert.DoesNotContain(member.Sent, m => m.Type == MessageType.VoteResponse);
        member.Sync();
        Assert.Single(member.Sent, m => m is { Type: MessageType.VoteResponse, Reject: false });
    }

    [Fact]
    public void Votes_are_asked_for_when_the_term_is_on_disk()
    {
        var member = new HandDrivenMember(3);
        while (member.Core.Role == Role.Follower)
        {
            member.Tick(10);
        }

        member.Receive(new Message { Type = MessageType.PreVoteResponse, From = 2, To = 1, Term = 2 });
        Assert.Equal((Role.Candidate, 2UL), (member.Core.Role, member.Core.Term));
        Assert.DoesNotContain(member.Sent, m => m.Type == MessageType.Vote);

        member.Sync();
        Assert.Equal(2, member.Sent.Count(m => m is { Type: MessageType.Vote, Term: 2 }));
    }

    private static HandDrivenMember Leader()
    {
        var member = new HandDrivenMember(3);
        member.Lead();
        member.Acknowledge(2, 2);
        member.Tick(HandDrivenMember.HeartbeatMs);
        member.AnswerHeartbeat(2);
        return member;
    }
}
