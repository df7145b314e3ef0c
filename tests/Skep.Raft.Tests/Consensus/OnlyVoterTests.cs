using Skep.Raft.Consensus;
using Skep.Raft.Log;

namespace Skep.Raft.Tests.Consensus;

/// <summary>Former voters that were given up and come back speak to the one that went on without them.</summary>
public sealed class OnlyVoterTests
{
    [Theory]
    [InlineData(MessageType.PreVote)]
    [InlineData(MessageType.Vote)]
    [InlineData(MessageType.Append)]
    [InlineData(MessageType.Heartbeat)]
    [InlineData(MessageType.Snapshot)]
    internal void A_higher_term_of_another_group_does_not_depose_it(MessageType type)
    {
        var member = new HandDrivenMember(1);
        member.Lead();
        var (term, sent) = (member.Core.Term, member.Sent.Count);

        member.Receive(new Message { Type = type, From = 2, To = 1, Term = term + 10, Index = 99, LogTerm = term + 9, Force = true, Commit = 99 });

        Assert.Equal((Role.Leader, term, sent), (member.Core.Role, member.Core.Term, member.Sent.Count));
    }

    [Fact]
    public void It_gives_no_vote_before_it_leads_either()
    {
        var member = new HandDrivenMember(1);
        member.Tick(HandDrivenMember.ElectionMs - 1);

        member.Receive(new Message { Type = MessageType.Vote, From = 2, To = 1, Term = 50, Index = 99, LogTerm = 49, Force = true });

        Assert.Equal(1UL, member.Core.Term);
        Assert.DoesNotContain(member.Sent, m => m.To == 2);
    }

    [Fact]
    public void While_it_is_not_committed_that_it_is_the_only_one_the_others_are_heard()
    {
        // Entry 2 makes it the only voter of three; that it is committed, nobody has said yet.
        var alone = LogRecord.Configuration(0, 2, 1, RaftConfiguration.Single(new RaftMember(1, "")).Encode());
        var member = new HandDrivenMember(3, null, alone);

        member.Receive(new Message { Type = MessageType.Append, From = 2, To = 1, Term = 7, Index = 1, LogTerm = 1, Commit = 1 });

        Assert.Equal((7UL, 2UL), (member.Core.Term, member.Core.Leader));
    }
}
