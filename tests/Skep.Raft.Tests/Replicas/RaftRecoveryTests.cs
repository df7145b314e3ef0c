using System.Text;
using Skep.Raft.Log;
using Skep.Raft.Tests.Host;

namespace Skep.Raft.Tests.Replicas;

/// <summary>A group of which one member is left, and one that begins from a copy.</summary>
public sealed class RaftRecoveryTests
{
    private const ulong Group = 7;
    private const ulong Following = 8;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_member_that_is_left_goes_on_with_all_it_has_and_the_others_do_not_get_it_back()
    {
        await using var members = await Members.StartAsync(3);
        await members.ProposeAsync("before");
        await Members.UntilAppliedAsync(members[1], "before");
        foreach (ulong id in (ulong[])[1, 2, 3])
        {
            await members.StopAsync(id);
        }

        RaftRecovered found = await RaftRecovery.ForceSingleAsync(Options(members.FolderOf(1)), null, Cancelled);

        Assert.Equal([2UL, 3UL], found.GivenUp.Select(m => m.Id).Order());
        Assert.Equal("member-2", found.GivenUp.First(m => m.Id == 2).Address);
        await members.StartAsync(1);
        await members.ProposeAsync("alone");
        Assert.True(members[1].Has("before"));
        ulong term = members[1].Group.Status.Term;

        // The two that were given up are a majority of the old group, and dial the third of it.
        await members.StartAsync(2);
        await members.StartAsync(3);
        await members.ProposeAsync("theirs", without: 1);
        await members.ProposeAsync("mine", without: [2, 3]);

        Assert.Equal((ReplicaRole.Leader, term), (members[1].Group.Status.Role, members[1].Group.Status.Term));
        Assert.False(members[1].Has("theirs"));
        Assert.False(members[2].Has("alone"));
    }

    [Fact]
    public async Task New_members_join_the_one_that_was_left()
    {
        await using var members = await Members.StartAsync(3);
        await members.ProposeAsync("before");
        await Members.UntilAppliedAsync(members[2], "before");
        foreach (ulong id in (ulong[])[1, 2, 3])
        {
            await members.StopAsync(id);
        }
        await RaftRecovery.ForceSingleAsync(Options(members.FolderOf(2), 2), null, Cancelled);
        Member left = await members.StartAsync(2);
        await members.LeaderAsync();

        Member joined = await members.StartAsync(4);
        await left.Group.ChangeMembersAsync([Members.Address(2)], [Members.Address(4)], Cancelled);
        await members.ProposeAsync("after");

        await Members.UntilAppliedAsync(joined, "after");
        Assert.Equal(left.Commands.Commands, joined.Commands.Commands);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Cut_short_behind_any_record_it_is_done_again(int records)
    {
        using var folder = new TemporaryFolder();
        RaftMember[] three = [Members.Address(1), Members.Address(2), Members.Address(3)];
        using (RaftLog log = Open(folder.Log))
        {
            await log.AppendAsync(
                [
                    new HardState(4, 2, 1).ToRecord(Group),
                    LogRecord.Configuration(Group, 1, 1, new RaftConfiguration(three, [], []).Encode()),
                    LogRecord.Command(Group, 2, 4, "kept"u8.ToArray()),
                ],
                Cancelled);

            // What it writes itself, as far as it came.
            LogRecord[] own = [new HardState(5, 1, 1).ToRecord(Group), LogRecord.Configuration(Group, 3, 5, RaftConfiguration.Single(three[0]).Encode())];
            await log.AppendAsync(own[..records], Cancelled);
        }

        var noted = new List<RaftRecovered>();
        RaftRecovered found = await RaftRecovery.ForceSingleAsync(Options(folder.Log), noted.Add, Cancelled);
        Assert.Equal(records == 1 ? 2 : 0, found.GivenUp.Count);
        Assert.Single(noted);

        // And once it is done it is not done again.
        RaftRecovered again = await RaftRecovery.ForceSingleAsync(Options(folder.Log), noted.Add, Cancelled);
        Assert.Single(noted);
        Assert.Empty(again.GivenUp);
        using RaftLog after = Open(folder.Log);
        var (last, hard) = after.Engine.Read(Group, static g => (g.LastIndex, g.HardState));
        Assert.Equal((3UL, 3UL), (last, hard.Commit));
        Assert.Equal(records == 1 ? 6UL : 5UL, hard.Term);
        Assert.Equal("kept", Encoding.ASCII.GetString(after.Engine.ReadEntries(Group, 2, 0)[0].Payload.Span));
    }

    [Theory]
    [InlineData(0, 2, 2, "kept")]
    [InlineData(3, 0, 1, "kept")]
    [InlineData(5, 0, 1, "kept")]
    public async Task Groups_that_follow_go_on_alone_with_the_first_also_where_an_earlier_attempt_was_cut_short(int records, int givenUp, int changed, string kept)
    {
        using var folder = new TemporaryFolder();
        RaftMember[] three = [Members.Address(1), Members.Address(2), Members.Address(3)];
        byte[] all = new RaftConfiguration(three, [], []).Encode(), alone = RaftConfiguration.Single(three[0]).Encode();
        using (RaftLog log = Open(folder.Log))
        {
            await log.AppendAsync(
                [
                    new HardState(4, 2, 1).ToRecord(Group), LogRecord.Configuration(Group, 1, 1, all),
                    new HardState(6, 3, 1).ToRecord(Following), LogRecord.Configuration(Following, 1, 1, all), LogRecord.Command(Following, 2, 6, "kept"u8.ToArray()),
                ],
                Cancelled);

            // What it writes itself, as far as it came.
            LogRecord[] own =
            [
                new HardState(5, 1, 1).ToRecord(Group), LogRecord.Configuration(Group, 2, 5, alone), new HardState(5, 1, 2).ToRecord(Group),
                new HardState(7, 1, 1).ToRecord(Following), LogRecord.Configuration(Following, 3, 7, alone),
            ];
            await log.AppendAsync(own[..records], Cancelled);
        }

        RaftRecovered found = await RaftRecovery.ForceSingleAsync(Options(folder.Log) with { FollowingGroupIds = [Following] }, null, Cancelled);

        Assert.Equal((givenUp, changed), (found.GivenUp.Count, found.ChangedGroupIds.Count));
        Assert.Empty((await RaftRecovery.ForceSingleAsync(Options(folder.Log) with { FollowingGroupIds = [Following] }, null, Cancelled)).ChangedGroupIds);
        using RaftLog after = Open(folder.Log);
        var (last, hard) = after.Engine.Read(Following, static g => (g.LastIndex, g.HardState));
        Assert.Equal((3UL, 3UL, 7UL), (last, hard.Commit, hard.Term));
        Assert.Equal(kept, Encoding.ASCII.GetString(after.Engine.ReadEntries(Following, 2, 0)[0].Payload.Span));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_group_that_follows_goes_on_also_where_the_member_has_left_it_or_never_heard_from_it(bool hasLeft)
    {
        using var folder = new TemporaryFolder();
        using (RaftLog log = Open(folder.Log))
        {
            await log.AppendAsync([LogRecord.Configuration(Group, 1, 1, new RaftConfiguration([Members.Address(1), Members.Address(2)], [], []).Encode())], Cancelled);
            await log.AppendAsync(
                hasLeft ? [LogRecord.Configuration(Following, 1, 1, RaftConfiguration.Single(Members.Address(2)).Encode())] : [new HardState(9, 0, 0).ToRecord(Following)], Cancelled);
        }
        await RaftRecovery.ForceSingleAsync(Options(folder.Log) with { FollowingGroupIds = [Following] }, null, Cancelled);

        await using var host = await RaftHost.OpenAsync(
            new RaftHostOptions { Folder = folder.Log, DataKey = new byte[32], Member = Members.Address(1), Dial = static (_, _) => throw new IOException("nobody is there") }, Cancelled);
        ReplicaGroup group = await host.OpenGroupAsync(new ReplicaGroupOptions { GroupId = Following }, new CommandList(), Cancelled);
        await group.WaitForAsync(static s => s.IsReady, Cancelled).WaitAsync(Members.Patience, Cancelled);
        await group.ProposeAsync("alone"u8.ToArray(), Cancelled);
    }

    [Fact]
    public async Task It_says_how_many_entries_it_keeps_without_knowing_that_they_were_committed()
    {
        using var folder = new TemporaryFolder();
        using (RaftLog log = Open(folder.Log))
        {
            await log.AppendAsync(
                [
                    LogRecord.Configuration(Group, 1, 1, new RaftConfiguration([Members.Address(1), Members.Address(2)], [], [Members.Address(3)]).Encode()),
                    LogRecord.NoOp(Group, 2, 1),
                    LogRecord.NoOp(Group, 3, 1),
                    new HardState(1, 1, 2).ToRecord(Group),
                ],
                Cancelled);
        }

        RaftRecovered found = await RaftRecovery.ForceSingleAsync(Options(folder.Log), null, Cancelled);

        Assert.Equal((3UL, 2UL, 1UL), (found.LastIndex, found.CommitIndex, found.UncertainEntries));
        Assert.Equal([2UL, 3UL], found.GivenUp.Select(m => m.Id).Order());
    }

    [Fact]
    public async Task A_folder_without_a_log_and_a_member_without_a_part_are_refused_and_nothing_is_made()
    {
        using var folder = new TemporaryFolder();
        var none = await Assert.ThrowsAsync<InvalidOperationException>(() => RaftRecovery.ForceSingleAsync(Options(folder.Log), null, Cancelled));
        Assert.Equal($"there is no log in {folder.Log}", none.Message);
        Assert.False(Directory.Exists(folder.Log));

        using (RaftLog log = Open(folder.Log))
        {
            await log.AppendAsync([LogRecord.Configuration(Group, 1, 1, RaftConfiguration.Single(Members.Address(9)).Encode())], Cancelled);
        }
        var other = await Assert.ThrowsAsync<InvalidOperationException>(() => RaftRecovery.ForceSingleAsync(Options(folder.Log), null, Cancelled));
        Assert.Equal($"member 1 has no part in the group of {folder.Log}, whose members are 9 (member-9)", other.Message);
    }

    [Fact]
    public async Task A_group_that_begins_from_a_copy_goes_on_behind_its_index()
    {
        using var folder = new TemporaryFolder();
        await RaftRecovery.SeedAsync(
            Options(folder.Log), 500, 12, async (output, ct) => await output.WriteAsync("497 first\n500 second\n"u8.ToArray(), ct), Cancelled);

        await using var host = await RaftHost.OpenAsync(
            new RaftHostOptions { Folder = folder.Log, DataKey = new byte[32], Member = Members.Address(1), Dial = static (_, _) => throw new IOException("nobody is there") }, Cancelled);
        var commands = new CommandList();
        ReplicaGroup group = await host.OpenGroupAsync(new ReplicaGroupOptions { GroupId = Group, Founders = [Members.Address(1)] }, commands, Cancelled);
        await group.WaitForAsync(static s => s.IsReady, Cancelled).WaitAsync(Members.Patience, Cancelled);
        ulong index = await group.ProposeAsync("third"u8.ToArray(), group.Status.Term, Cancelled);

        Assert.Equal([(497UL, "first"), (500UL, "second"), (index, "third")], commands.Commands);
        Assert.True(index > 500 && group.Status.Term > 12);
        await Assert.ThrowsAsync<InvalidOperationException>(() => RaftRecovery.SeedAsync(Options(folder.Log), 1, 1, static (_, _) => Task.CompletedTask, Cancelled));
    }

    private static RaftRecoveryOptions Options(string folder, ulong member = 1) =>
        new() { Folder = folder, DataKey = new byte[32], GroupId = Group, Member = Members.Address(member) };

    private static RaftLog Open(string folder) => RaftLog.Open(folder, new LogEngineOptions(new DataKeys(new byte[32], [])), 16, static _ => { });
}
