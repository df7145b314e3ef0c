using System.Text;
using Skep.Raft.Consensus;
using Skep.Raft.Log;
using Skep.Raft.Tests.Host;
using Skep.Raft.Transport;

namespace Skep.Raft.Tests.Replicas;

/// <summary>A group of real members: disks with fsync, sockets, the machine's clock.</summary>
public sealed class ReplicaGroupTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(5)]
    public async Task What_is_proposed_is_applied_by_every_member_in_the_same_order(int count)
    {
        await using var members = await Members.StartAsync(count);
        for (var i = 0; i < 20; i++)
        {
            await members.ProposeAsync($"c{i}");
        }

        foreach (var member in members.Up)
        {
            await Members.UntilAppliedAsync(member, "c19");
            Assert.Equal(Enumerable.Range(0, 20).Select(static i => $"c{i}"), member.Commands.Commands.Select(static c => c.Command));
        }
    }

    [Fact]
    public async Task Many_callers_at_once_each_get_an_index_of_their_own()
    {
        await using var members = await Members.StartAsync(3);
        var leader = await members.LeaderAsync();
        var indexes = await Task.WhenAll(Enumerable.Range(0, 500).Select(i => leader.Group.ProposeAsync(Encoding.ASCII.GetBytes($"c{i}"))));
        Assert.Equal(500, indexes.Distinct().Count());
        Assert.Equal(500, leader.Commands.Commands.Count);
    }

    [Fact]
    public async Task A_leader_that_is_gone_is_followed_by_another_that_has_all_that_was_acknowledged()
    {
        await using var members = await Members.StartAsync(3);
        await members.ProposeAsync("before");
        var old = (await members.LeaderAsync()).Id;
        await members.StopAsync(old);

        await members.ProposeAsync("between");
        Assert.All(members.Up.Where(static m => m.Group.Status.Role == ReplicaRole.Leader), static m => Assert.True(m.Has("before") && m.Has("between")));

        var back = await members.StartAsync(old);
        await members.ProposeAsync("after");
        await Members.UntilAppliedAsync(back, "after");
        Assert.Equal(["before", "between", "after"], back.Commands.Commands.Select(static c => c.Command));
    }

    [Fact]
    public async Task A_leader_that_is_cut_off_neither_commits_nor_lets_a_read_pass()
    {
        await using var members = await Members.StartAsync(3);
        await members.ProposeAsync("before");
        var old = await members.LeaderAsync();
        members.Wire.Cut(old.Id);
        var lost = old.Group.ProposeAsync("lost"u8.ToArray());

        await members.ProposeAsync("after", without: old.Id);
        using var patience = new CancellationTokenSource(Members.Patience);
        await old.Group.WaitForAsync(static s => s.Role != ReplicaRole.Leader, patience.Token);
        await Assert.ThrowsAsync<NotLeaderException>(() => old.Group.ReadIndexAsync(patience.Token));
        await Assert.ThrowsAsync<ProposalLostException>(() => lost.WaitAsync(Members.Patience));
        await Assert.ThrowsAsync<NotLeaderException>(() => old.Group.ProposeAsync("refused"u8.ToArray(), patience.Token));

        members.Wire.Heal(old.Id);
        await Members.UntilAppliedAsync(old, "after");
        Assert.Equal(["before", "after"], old.Commands.Commands.Select(static c => c.Command));
    }

    [Fact]
    public async Task A_read_at_any_member_sees_what_was_acknowledged_before_it()
    {
        await using var members = await Members.StartAsync(3);
        for (var i = 0; i < 10; i++)
        {
            await members.ProposeAsync($"c{i}");
            foreach (var member in members.Up)
            {
                await member.Group.WaitForAsync(static s => s.LeaderId != 0).WaitAsync(Members.Patience);
                await member.Group.ReadIndexAsync().WaitAsync(Members.Patience);
                Assert.True(member.Has($"c{i}"), $"member {member.Id} read without c{i}");
            }
        }
    }

    [Fact]
    public async Task All_members_stopped_and_started_again_have_what_was_acknowledged()
    {
        await using var members = await Members.StartAsync(3, snapshotEveryEntries: 20, keepEntries: 5);
        for (var i = 0; i < 50; i++)
        {
            await members.ProposeAsync($"c{i}");
        }

        foreach (var id in (ulong[])[1, 2, 3])
        {
            await members.StopAsync(id);
        }

        foreach (var id in (ulong[])[1, 2, 3])
        {
            await members.StartAsync(id);
        }

        await members.ProposeAsync("after");
        foreach (var member in members.Up)
        {
            await Members.UntilAppliedAsync(member, "after");
            Assert.Equal([.. Enumerable.Range(0, 50).Select(static i => $"c{i}"), "after"], member.Commands.Commands.Select(static c => c.Command));
        }
    }

    [Fact]
    public async Task A_member_that_is_too_far_behind_is_brought_a_snapshot()
    {
        await using var members = await Members.StartAsync(3, snapshotEveryEntries: 50, keepEntries: 5);
        await members.ProposeAsync("first");
        var away = members.Up.First(static m => m.Group.Status.Role != ReplicaRole.Leader).Id;
        await members.StopAsync(away);
        var filler = new string('x', 1500);
        for (var i = 0; i < 300; i++)
        {
            await members.ProposeAsync($"c{i} {filler}");
        }

        var back = await members.StartAsync(away, snapshotEveryEntries: 1_000_000);
        await members.ProposeAsync("last");
        await Members.UntilAppliedAsync(back, "last");
        Assert.True(back.Commands.RestoredFrom > 100, $"it was restored from {back.Commands.RestoredFrom}");
        Assert.Equal(302, back.Commands.Commands.Count);
    }

    [Fact]
    public async Task The_lead_goes_to_the_member_it_is_handed_to()
    {
        await using var members = await Members.StartAsync(3);
        await members.ProposeAsync("before");
        var heir = members.Up.First(static m => m.Group.Status.Role != ReplicaRole.Leader);
        while (heir.Group.Status.Role != ReplicaRole.Leader)
        {
            try
            {
                await (await members.LeaderAsync()).Group.TransferAsync(heir.Id).WaitAsync(Members.Patience);
                await heir.Group.WaitForAsync(static s => s.Role == ReplicaRole.Leader).WaitAsync(Members.Patience);
            }
            catch (InvalidOperationException)
            {
                // A busy machine takes longer than an election may; it is asked for again.
            }
        }

        await members.ProposeAsync("after");
        Assert.True(heir.Has("before") && heir.Has("after"));
    }

    [Fact]
    public async Task The_lead_is_not_handed_to_whom_it_cannot_be()
    {
        await using var members = await Members.StartAsync(1);
        await members.ProposeAsync("before");
        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => members[1].Group.TransferAsync(9));
        Assert.Equal("member 9 is no voter; leadership goes to one of 1", refused.Message);
    }

    [Fact]
    public async Task A_group_of_one_grows_to_three_and_shrinks_again()
    {
        await using var members = await Members.StartAsync(1);
        await members.ProposeAsync("alone");
        var first = members[1];
        foreach (var id in (ulong[])[2, 3])
        {
            await members.StartAsync(id);
        }

        await ChangeAsync(first, [Members.Address(1)], [Members.Address(2), Members.Address(3)]);
        foreach (var id in (ulong[])[2, 3])
        {
            await Members.UntilAppliedAsync(members[id], "alone");
        }

        await ChangeAsync(first, [Members.Address(1), Members.Address(2), Members.Address(3)], []);
        await members.ProposeAsync("three");
        await members.StopAsync(1);
        await members.ProposeAsync("two of three");

        await members.StartAsync(1);
        var leader = await members.LeaderAsync();
        await ChangeAsync(leader, [Members.Address(leader.Id)], []);
        await leader.Group.ProposeAsync("alone again"u8.ToArray()).WaitAsync(Members.Patience);
        Assert.Equal(["alone", "three", "two of three", "alone again"], leader.Commands.Commands.Select(static c => c.Command));
    }

    [Fact]
    public async Task The_folder_of_a_former_group_of_one_is_opened_unchanged()
    {
        using var folder = new TemporaryFolder();
        var options = AppendingChild.Options(folder.Log);

        // As it wrote them at each start: the new term with a vote for itself, and its first entry, which knows of no commit index.
        using (var log = RaftLog.Open(folder.Log, new LogEngineOptions(new DataKeys(options.DataKey, [])), 16, static _ => { }))
        {
            await log.AppendAsync(
                [new HardState(1, 7, 0).ToRecord(1), LogRecord.Configuration(1, 1, 1, RaftConfiguration.Single(options.Member).Encode())], CancellationToken.None);
            await log.AppendAsync([LogRecord.Command(1, 2, 1, "one"u8.ToArray())], CancellationToken.None);
            await log.AppendAsync([new HardState(2, 7, 2).ToRecord(1), LogRecord.NoOp(1, 3, 2)], CancellationToken.None);
            await log.AppendAsync([LogRecord.Command(1, 4, 2, "two"u8.ToArray())], CancellationToken.None);
        }

        var commands = new CommandList();
        await using var group = await Solo.OpenAsync(options, commands);
        await group.ProposeAsync("three"u8.ToArray()).WaitAsync(Members.Patience);
        Assert.Equal(["one", "two", "three"], commands.Commands.Select(static c => c.Command));
    }

    [Fact]
    public async Task A_crash_between_a_snapshots_file_and_its_note_leaves_a_log_that_goes_on()
    {
        using var folder = new TemporaryFolder();
        var self = Members.Address(1);
        var alone = RaftConfiguration.Single(self).Encode();
        using (var log = RaftLog.Open(folder.Log, new LogEngineOptions(new DataKeys(new byte[32], [])), 16, static _ => { }))
        {
            LogRecord[] foreign =
            [
                new HardState(3, 0, 0).ToRecord(7),
                LogRecord.Configuration(7, 1, 1, alone),
                .. Enumerable.Range(2, 60).Select(static i => LogRecord.Command(7, (ulong)i, 3, "foreign"u8.ToArray())),
            ];
            await log.AppendAsync(foreign, default);
            await using var file = log.CreateSnapshot(7, 40, 5, 1, alone);
            await file.WriteAsync("40 theirs\n"u8.ToArray());
            file.Commit();
        }

        for (var start = 1; start <= 3; start++)
        {
            var commands = new CommandList();
            await using var host = await RaftHost.OpenAsync(new RaftHostOptions { Folder = folder.Log, DataKey = new byte[32], Member = self, Dial = static (_, _) => throw new IOException() });
            var group = await host.OpenGroupAsync(new ReplicaGroupOptions { GroupId = 7 }, commands);
            await group.WaitForAsync(static s => s.Role == ReplicaRole.Leader).WaitAsync(Members.Patience);
            await group.ProposeAsync(Encoding.ASCII.GetBytes($"ours {start}")).WaitAsync(Members.Patience);
            Assert.Equal(["theirs", .. Enumerable.Range(1, start).Select(static i => $"ours {i}")], commands.Commands.Select(static c => c.Command));
        }
    }

    [Fact]
    public async Task The_message_of_a_snapshot_without_its_bytes_ends_the_stream_and_nothing_else()
    {
        await using var members = await Members.StartAsync(1);
        await members.ProposeAsync("before");
        using var bytes = new MemoryStream();
        bytes.Write(StreamKind.Opening(StreamKind.Messages, Members.Address(2)));
        var message = new Message { Type = MessageType.Snapshot, From = 2, To = 1, Term = 99, Snapshot = new SnapshotMeta(1000, 99, 1, new([], [], [])) };
        var frame = new System.Buffers.ArrayBufferWriter<byte>();
        Frames.WriteHead(frame.GetSpan(Frames.HeadSizeBytes), 7, MessageCodec.SizeOf(message));
        frame.Advance(Frames.HeadSizeBytes);
        MessageCodec.Write(frame, message);
        bytes.Write(frame.WrittenSpan);
        bytes.Position = 0;
        await members[1].Host.ServeAsync(bytes, 2, default).WaitAsync(Members.Patience);
        Assert.False(bytes.CanRead);
        await members.ProposeAsync("after");
    }

    private static async Task ChangeAsync(Member leader, IReadOnlyList<RaftMember> voters, IReadOnlyList<RaftMember> learners)
    {
        using var patience = new CancellationTokenSource(Members.Patience);
        while (true)
        {
            try
            {
                await leader.Group.ChangeMembersAsync(voters, learners, patience.Token);
                break;
            }
            catch (InvalidOperationException)
            {
                // A learner is behind yet, or a change before this one is under way.
                await leader.Group.WaitForAsync(NextOf(leader), patience.Token);
            }
        }

        await leader.Group.WaitForAsync(
            s => s.Configuration.OutgoingVoters.Count == 0 && s.Configuration.Voters.SequenceEqual(voters) && s.CommitIndex >= s.LastIndex, patience.Token);
    }

    private static Func<ReplicaStatus, bool> NextOf(Member leader)
    {
        var now = leader.Group.Status;
        return s => !ReferenceEquals(s, now);
    }
}
