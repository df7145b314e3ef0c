using Skep.Raft.Consensus;
using Skep.Raft.Log;

namespace Skep.Raft.Tests.Consensus;

public sealed class FlowControlTests
{
    private static readonly CoreOptions Narrow = new()
    {
        Id = 1,
        ElectionTimeoutMs = HandDrivenMember.ElectionMs,
        HeartbeatMs = HandDrivenMember.HeartbeatMs,
        MaxInFlightMessages = 3,
        MaxMessageSizeBytes = 1,
        MaxUncommittedBytes = 500,
        MaxPendingReads = 2,
        UseLease = false,
    };

    [Fact]
    public void No_more_messages_are_under_way_to_a_follower_than_it_may_owe_answers_to()
    {
        var member = Leader();
        member.Sent.Clear();
        member.Propose(6);
        Assert.Equal(3, Entries(member, 2));

        member.Acknowledge(2, 4);
        Assert.Equal(5, Entries(member, 2));
    }

    [Fact]
    public void Proposals_are_refused_while_too_much_waits_to_be_committed()
    {
        var member = Leader();
        member.Propose(10);
        Assert.Equal(ProposalStatus.TooMuchInFlight, member.Core.Propose([new byte[8]]).Status);

        member.Sync();
        member.Acknowledge(2, member.Core.LastIndex);
        member.Propose();
    }

    [Fact]
    public void Reads_that_wait_are_bounded_and_share_a_round_of_heartbeats()
    {
        var member = Leader();
        member.Sent.Clear();
        member.Do(core =>
        {
            core.Read(member.NowMs, 1);
            core.Read(member.NowMs, 2);
            core.Read(member.NowMs, 3);
        });
        Assert.Equal(new ReadState(3, null), Assert.Single(member.Reads));
        Assert.Single(member.Sent, m => m is { Type: MessageType.Heartbeat, To: 2 });
    }

    [Fact]
    public void A_follower_that_is_far_apart_is_found_in_one_answer_a_term()
    {
        LogRecord[] entries = [.. Enumerable.Range(2, 60).Select(i => LogRecord.NoOp(0, (ulong)i, i < 20 ? 2UL : i < 40 ? 5UL : 9UL))];
        var member = new HandDrivenMember(3, null, entries);
        member.Lead();
        var probe = member.Sent.Last(m => m is { Type: MessageType.Append, To: 2 });
        Assert.Equal((61UL, 9UL), (probe.Index, probe.LogTerm));

        // It has entries of term 7 where this log has 9: nothing above the end of term 5 can agree.
        member.Receive(new Message { Type = MessageType.AppendResponse, From = 2, To = 1, Term = member.Core.Term, Index = 61, Reject = true, Hint = 55, LogTerm = 7 });
        probe = member.Sent.Last(m => m is { Type: MessageType.Append, To: 2 });
        Assert.Equal((39UL, 5UL), (probe.Index, probe.LogTerm));
    }

    [Fact]
    public void A_learner_becomes_a_voter_when_it_has_caught_up_and_a_stranger_does_not()
    {
        var member = Leader();
        RaftMember[] three = [new(1, ""), new(2, ""), new(3, "")];
        Assert.Contains("learner first", member.Core.ChangeConfiguration([.. three, new(4, "")], []), StringComparison.Ordinal);
        member.Do(core => Assert.Null(core.ChangeConfiguration(three, [new(4, "")])));
        member.Sync();
        member.Acknowledge(2, member.Core.LastIndex);
        Assert.Contains("caught up", member.Core.ChangeConfiguration([.. three, new(4, "")], []), StringComparison.Ordinal);

        member.Acknowledge(4, member.Core.LastIndex);
        member.Do(core => Assert.Null(core.ChangeConfiguration([.. three, new(4, "")], [])));
        Assert.Equal(4, member.Core.Configuration.Voters.Count);
        Assert.Equal(3, member.Core.Configuration.OutgoingVoters.Count);
    }

    private static HandDrivenMember Leader()
    {
        var member = new HandDrivenMember(3, Narrow);
        member.Lead();
        member.Acknowledge(2, 2);
        return member;
    }

    private static int Entries(HandDrivenMember member, ulong to) => member.Sent.Where(m => m.Type == MessageType.Append && m.To == to).Sum(m => m.Entries.Count);
}
