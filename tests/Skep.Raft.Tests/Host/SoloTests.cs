using System.Text;
using Skep.Raft.Log;
using Skep.Raft.Tests.Log;
using Skep.Raft.Tests.Simulation;

namespace Skep.Raft.Tests.Host;

public sealed class SoloTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly TemporaryFolder _folder = new();

    private SoloOptions Options => AppendingChild.Options(_folder.Log);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Commands_come_back_in_order_with_their_indexes()
    {
        var first = new CommandList();
        await using (var group = await Solo.OpenAsync(Options, first))
        {
            foreach (var text in new[] { "one", "two", "three" })
            {
                await ProposeAsync(group, text);
            }
        }

        var second = new CommandList();
        await using var again = await Solo.OpenAsync(Options, second);
        Assert.Equal(["one", "two", "three"], second.Commands.Select(c => c.Command));
        Assert.Equal(first.Commands, second.Commands);
    }

    [Fact]
    public async Task A_command_is_applied_before_its_proposal_returns()
    {
        var list = new CommandList();
        await using var group = await Solo.OpenAsync(Options, list);
        var index = await ProposeAsync(group, "x");
        Assert.Equal((index, "x"), Assert.Single(list.Commands));
    }

    [Fact]
    public async Task Each_start_is_a_new_term_with_an_entry_and_a_vote_of_its_own()
    {
        for (ulong start = 1; start <= 3; start++)
        {
            await using var group = await Solo.OpenAsync(Options, new CommandList());
            Assert.Equal(start + 1, group.Metrics.Term);
            Assert.Equal(start + 1, group.Metrics.LastIndex);
            Assert.Equal([new RaftMember(7, "")], group.Configuration.Voters);
        }

        using var log = LogEngine.Open(new PosixDisk(_folder.Log), TestKeys.Options());
        var hard = log.Read(1, static g => g.HardState);
        Assert.Equal((4UL, 7UL), (hard.Term, hard.Vote));
        Assert.Equal([RecordType.Configuration, RecordType.NoOp, RecordType.NoOp, RecordType.NoOp], Journal.Entries(log, 1, 1, 4).Select(e => e.Type));
    }

    [Fact]
    public async Task Many_callers_share_syncs()
    {
        var list = new CommandList();
        await using var group = await Solo.OpenAsync(Options, list);
        var before = group.Metrics.Syncs;
        var indexes = await Task.WhenAll(Enumerable.Range(0, 500).Select(i => ProposeAsync(group, $"c{i}")));
        Assert.Equal(500, indexes.Distinct().Count());
        Assert.Equal(list.Commands.Select(c => c.Index), indexes.Order());
        Assert.InRange(group.Metrics.Syncs - before, 1, 400);
    }

    [Fact]
    public async Task After_so_many_entries_a_snapshot_is_taken_and_the_log_shortened()
    {
        var options = Options with { SnapshotEveryEntries = 100, KeepEntries = 10, SegmentSizeBytes = 16 * 1024 };
        var list = new CommandList();
        ulong last = 0;
        await using (var group = await Solo.OpenAsync(options, list))
        {
            for (var i = 0; i < 1_000 || group.Metrics.SnapshotIndex < 900; i++)
            {
                last = await ProposeAsync(group, $"command {i}");
                Assert.True(i < 100_000, "no snapshot of the first 900 entries after 100,000");
            }

            Assert.InRange(group.Metrics.Segments, 1, 8);
        }

        var again = new CommandList();
        await using var reopened = await Solo.OpenAsync(options, again);
        Assert.True(again.RestoredFrom >= 900);
        Assert.Equal(list.Commands, again.Commands);
        Assert.Equal(last, again.Commands[^1].Index);
        Assert.Single(Directory.GetFiles(_folder.Log, "*.snap"));
    }

    [Fact]
    public async Task After_so_many_bytes_a_snapshot_is_taken_and_another_after_as_many_again_however_few_entries_they_are()
    {
        var options = Options with { SnapshotEverySizeBytes = 8 * 1024 };
        var list = new CommandList();
        await using var group = await Solo.OpenAsync(options, list);
        for (ulong seen = 0, taken = 0; taken < 3;)
        {
            await group.Group.ProposeAsync(new byte[1024]);
            Assert.True(list.Commands.Count < 1_000, $"{taken} snapshots after 1,000 KiB of commands");
            if (group.Metrics.SnapshotIndex is var now && now != seen)
            {
                (seen, taken) = (now, taken + 1);
            }
        }
    }

    [Fact]
    public async Task Commands_go_on_while_a_snapshot_is_written()
    {
        var hold = new TaskCompletionSource();
        var list = new CommandList { HoldSnapshots = hold };
        await using var group = await Solo.OpenAsync(Options with { SnapshotEveryEntries = 5 }, list);
        for (var i = 0; i < 50; i++)
        {
            await ProposeAsync(group, $"command {i}").WaitAsync(Patience);
        }

        Assert.Equal(1, list.SnapshotsCaptured);
        Assert.Equal(0UL, group.Metrics.SnapshotIndex);
        hold.SetResult();
    }

    [Fact]
    public async Task A_folder_that_is_open_is_refused_naming_the_holder()
    {
        await using var group = await Solo.OpenAsync(Options, new CommandList());
        var refused = await Assert.ThrowsAsync<LogLockedException>(() => Solo.OpenAsync(Options, new CommandList()));
        Assert.Contains($"process {Environment.ProcessId}", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Files_are_for_their_owner_alone()
    {
        await using var group = await Solo.OpenAsync(Options, new CommandList());
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(_folder.Log));
        Assert.All(Directory.GetFiles(_folder.Log), f => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(f)));
    }

    [Fact]
    public async Task Another_data_key_is_refused_as_such()
    {
        await (await Solo.OpenAsync(Options, new CommandList())).DisposeAsync();
        await Assert.ThrowsAsync<WrongDataKeyException>(() => Solo.OpenAsync(Options with { DataKey = TestKeys.OtherDataKey }, new CommandList()));
    }

    [Fact]
    public async Task A_state_machine_that_fails_stops_the_group()
    {
        await using var group = await Solo.OpenAsync(Options, new FailingMachine());
        await Assert.ThrowsAsync<ProposalLostException>(() => ProposeAsync(group, "x").WaitAsync(Patience));
        await Assert.ThrowsAsync<InvalidDataException>(() => group.Completion.WaitAsync(Patience));
        await Assert.ThrowsAsync<InvalidDataException>(() => group.Group.WaitForAsync(static s => !s.IsReady && s.Term == 0).WaitAsync(Patience));
        Assert.Equal((ReplicaRole.Follower, false, 0UL), (group.Group.Status.Role, group.Group.Status.IsReady, group.Group.Status.LeaderId));
        await Assert.ThrowsAsync<InvalidDataException>(() => ProposeAsync(group, "y").WaitAsync(Patience));
    }

    [Fact]
    public async Task Empty_and_oversized_commands_and_closed_groups_are_refused()
    {
        var group = await Solo.OpenAsync(Options, new CommandList());
        await Assert.ThrowsAsync<ArgumentException>(() => ProposeAsync(group, ""));
        await Assert.ThrowsAsync<ArgumentException>(() => group.ProposeAsync(new byte[(4 * 1024 * 1024) + 1]));
        var waiting = group.Group.WaitForAsync(static s => s.Term == 0);
        await group.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => waiting.WaitAsync(Patience));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => ProposeAsync(group, "late"));
        await group.Completion.WaitAsync(Patience);
    }

    private static Task<ulong> ProposeAsync(Solo group, string text) => group.ProposeAsync(Encoding.ASCII.GetBytes(text));

    private sealed class FailingMachine : IStateMachine
    {
        public void Apply(ulong index, ReadOnlyMemory<byte> command) => throw new InvalidDataException("cannot apply");

        public Func<Stream, CancellationToken, Task> CaptureSnapshot() => static (_, _) => Task.CompletedTask;

        public Task RestoreSnapshotAsync(ulong index, Stream snapshot, CancellationToken ct) => Task.CompletedTask;
    }
}
