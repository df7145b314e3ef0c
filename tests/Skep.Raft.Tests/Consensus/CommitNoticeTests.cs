using Skep.Raft.Consensus;

namespace Skep.Raft.Tests.Consensus;

public sealed class CommitNoticeTests
{
    private const int NoticeMs = 5;

    [Fact]
    public void A_follower_that_has_all_entries_hears_of_their_commitment_with_the_next_ones()
    {
        var member = Leader();
        var committed = member.Propose();
        member.Sync();
        member.Sent.Clear();
        member.Acknowledge(2, committed);
        member.Acknowledge(3, committed);
        Assert.Equal(committed, member.Core.Commit);
        Assert.DoesNotContain(member.Sent, static m => m.Type == MessageType.Append);

        member.Propose();
        Assert.Equal(committed, Assert.Single(member.Sent, static m => m is { Type: MessageType.Append, To: 2 }).Commit);
    }

    [Fact]
    public void It_hears_of_it_alone_when_none_follow()
    {
        var member = Leader();
        var committed = member.Propose();
        member.Sync();
        member.Acknowledge(2, committed);
        member.Sent.Clear();
        member.Tick(NoticeMs);
        Assert.Equal(committed, Assert.Single(member.Sent, static m => m is { Type: MessageType.Append, To: 2 }).Commit);
    }

    [Fact]
    public void It_hears_of_it_at_once_when_it_has_a_read_that_waits_for_it()
    {
        var member = Leader();
        var committed = member.Propose();
        member.Sync();
        member.Acknowledge(2, committed);
        member.Sent.Clear();
        member.Receive(new Message { Type = MessageType.ReadIndex, From = 2, To = 1, Term = member.Core.Term, Context = 7 });
        member.AnswerHeartbeat(2);
        Assert.Equal(committed, Assert.Single(member.Sent, static m => m is { Type: MessageType.ReadIndexResponse, To: 2 }).Index);
        Assert.Equal(committed, Assert.Single(member.Sent, static m => m is { Type: MessageType.Append, To: 2 }).Commit);
    }

    // It leads, and both followers have its first entry and know that it is committed.
    private static HandDrivenMember Leader()
    {
        var member = new HandDrivenMember(3, new CoreOptions
        {
            Id = 1,
            ElectionTimeoutMs = HandDrivenMember.ElectionMs,
            HeartbeatMs = HandDrivenMember.HeartbeatMs,
            CommitNoticeMs = NoticeMs,
            UseLease = false,
        });
        member.Lead();
        member.Acknowledge(2, 2);
        member.Acknowledge(3, 2);
        member.Tick(NoticeMs);
        member.Sent.Clear();
        return member;
    }
}
