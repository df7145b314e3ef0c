using Skep.Raft.Consensus;
using Skep.Raft.Log;

namespace Skep.Raft.Tests.Consensus;

public sealed class CommitRuleTests
{
    [Fact]
    public void A_follower_does_not_acknowledge_before_its_own_sync()
    {
        var member = new HandDrivenMember(3);
        member.Receive(Append(after: 1, LogRecord.NoOp(0, 2, 2)));
        Assert.DoesNotContain(member.Sent, m => m.Type == MessageType.AppendResponse);

        member.Sync();
        Assert.Equal(2UL, Assert.Single(member.Sent, m => m.Type == MessageType.AppendResponse).Index);
    }

    [Fact]
    public void Five_voters_with_matches_100_100_50_do_not_commit_100()
    {
        var member = new HandDrivenMember(5);
        member.Lead();
        while (member.Core.LastIndex < 100)
        {
            member.Propose();
        }

        member.Sync();
        member.Acknowledge(2, 100);
        member.Acknowledge(3, 50);
        Assert.Equal(50UL, member.Core.Commit);

        member.Acknowledge(4, 100);
        Assert.Equal(100UL, member.Core.Commit);
    }

    [Fact]
    public void The_leaders_own_copy_counts_only_when_it_is_stored()
    {
        var member = new HandDrivenMember(3);
        member.Lead();
        member.Acknowledge(2, 2);
        var index = member.Propose();
        Assert.Contains(member.Sent, m => m.Type == MessageType.Append && m.Entries is [{ Index: 3 }]);

        member.Acknowledge(2, index);
        Assert.Equal(2UL, member.Core.Commit);

        member.Sync();
        Assert.Equal(index, member.Core.Commit);
        Assert.Equal(index, member.ApplyUpTo);
    }

    [Fact]
    public void What_two_followers_hold_is_committed_and_applied_when_the_leader_has_it_too()
    {
        var member = new HandDrivenMember(3);
        member.Lead();
        var index = member.Propose();
        member.Acknowledge(2, index);
        member.Acknowledge(3, index);
        Assert.Equal(index, member.Core.Commit);
        Assert.Equal(index - 1, member.ApplyUpTo);

        member.Sync();
        Assert.Equal(index, member.ApplyUpTo);
    }

    [Fact]
    public void An_entry_of_an_earlier_term_is_committed_only_by_one_of_this_term()
    {
        var member = new HandDrivenMember(3, null, LogRecord.NoOp(0, 2, 2));
        member.Lead();
        member.Acknowledge(2, 2);
        Assert.Equal(1UL, member.Core.Commit);

        member.Acknowledge(2, 3);
        Assert.Equal(3UL, member.Core.Commit);
    }

    /// <summary>Else a crash between the two parts of a write could commit what the second part was to cut off.</summary>
    [Fact]
    public void The_commit_index_is_written_only_as_far_as_entries_are_on_disk()
    {
        var member = new HandDrivenMember(3, null, LogRecord.NoOp(0, 2, 2), LogRecord.NoOp(0, 3, 2));
        member.Receive(Append(after: 1, LogRecord.NoOp(0, 2, 5), LogRecord.NoOp(0, 3, 5)) with { Term = 5, Commit = 3 });
        var write = Assert.Single(member.Written);
        Assert.Equal((3UL, 2UL), (member.Core.Commit, write.TruncateFrom));
        Assert.Equal(new HardState(5, 0, 1), write.HardState);
        Assert.Equal(1UL, member.ApplyUpTo);
    }

    [Fact]
    public void A_snapshot_is_acknowledged_when_it_is_installed()
    {
        var member = new HandDrivenMember(3);
        var snapshot = new SnapshotMeta(50, 4, 1, member.Core.Configuration);
        member.Receive(new Message { Type = MessageType.Snapshot, From = 2, To = 1, Term = 5, Snapshot = snapshot });
        Assert.Equal(snapshot, Assert.Single(member.Written).Snapshot);
        Assert.DoesNotContain(member.Sent, m => m.Type == MessageType.AppendResponse);
        Assert.Equal(1UL, member.ApplyUpTo);

        member.Sync();
        Assert.Equal(50UL, Assert.Single(member.Sent, m => m.Type == MessageType.AppendResponse).Index);
        Assert.Equal(50UL, member.ApplyUpTo);
    }

    [Fact]
    public void During_a_change_both_sets_of_voters_need_their_majority()
    {
        var member = new HandDrivenMember(3);
        member.Lead();
        member.Acknowledge(2, 2);
        member.Do(core => Assert.Null(core.ChangeConfiguration(Members(1, 2, 3), Members(4, 5))));
        member.Sync();
        foreach (var id in (ReadOnlySpan<ulong>)[2, 4, 5])
        {
            member.Acknowledge(id, 3);
        }

        member.Do(core => Assert.Null(core.ChangeConfiguration(Members(1, 4, 5), [])));
        member.Sync();
        member.Acknowledge(4, 4);
        member.Acknowledge(5, 4);
        Assert.Equal(3UL, member.Core.Commit);
        Assert.NotNull(member.Core.ChangeConfiguration(Members(1), []));

        // With one of the old voters it is committed, and the leader ends the change by itself.
        member.Acknowledge(3, 4);
        Assert.Equal(4UL, member.Core.Commit);
        Assert.Empty(member.Core.Configuration.OutgoingVoters);
        Assert.Equal(5UL, member.Core.ConfigurationIndex);
    }

    private static List<RaftMember> Members(params ulong[] ids) => [.. ids.Select(i => new RaftMember(i, ""))];

    private static Message Append(ulong after, params LogRecord[] entries) =>
        new() { Type = MessageType.Append, From = 2, To = 1, Term = 2, Index = after, LogTerm = 1, Entries = entries };
}
