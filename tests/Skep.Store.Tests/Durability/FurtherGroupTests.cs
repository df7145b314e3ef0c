using System.Collections.Concurrent;
using System.Text;
using Skep.Raft;
using Skep.Store.Durability;
using Skep.Store.Members;

namespace Skep.Store.Tests.Durability;

/// <summary>A second group in the store's log.</summary>
public sealed class FurtherGroupTests : IDisposable
{
    private static readonly ReplicaGroupOptions Second = new() { GroupId = 2 };
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly TemporaryFolder folder = new();

    private DurableStoreOptions Options => CommittingChild.Options(folder.Path);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Who_founds_the_stores_group_founds_it_and_finds_it_again()
    {
        await using (DurableStore store = await Opened.AsLeaderAsync(Options))
        {
            await ProposeAsync(store, new Said(), "before");
        }

        await using DurableStore again = await Opened.AsLeaderAsync(Options);
        var said = new Said();
        await ProposeAsync(again, said, "after");
        Assert.Equal(["before", "after"], said.Words);
    }

    [Fact]
    public async Task The_founder_of_a_directory_without_it_founds_it_at_its_next_start()
    {
        await using (DurableStore store = await Opened.AsLeaderAsync(Options))
        {
            await store.Store.UpdateAsync(tx => tx.Create(Services.Make("a")), Cancelled);
        }

        await using DurableStore again = await Opened.AsLeaderAsync(Options);
        await ProposeAsync(again, new Said(), "first");
    }

    [Fact]
    public async Task One_that_is_alone_and_founded_nothing_founds_it_too()
    {
        await (await Opened.AsLeaderAsync(Options)).DisposeAsync();
        await using DurableStore again = await Opened.AsLeaderAsync(Options with { Founds = false });
        await ProposeAsync(again, new Said(), "first");
    }

    [Fact]
    public async Task One_that_joins_waits_for_a_leader()
    {
        await using DurableStore store = await DurableStore.OpenAsync(Options with { Founds = false }, Cancelled);
        (_, StoreMembers members) = await store.OpenGroupAsync(Second, new Said(), Cancelled);
        Assert.Empty(members.View.Members);
    }

    [Fact]
    public async Task The_data_key_is_changed_in_all_of_the_log()
    {
        byte[] key = [.. Enumerable.Range(100, 32).Select(static i => (byte)i)];
        await using (DurableStore store = await Opened.AsLeaderAsync(Options))
        {
            ReplicaGroup group = await ProposeAsync(store, new Said(), "before");
            await store.Store.UpdateAsync(tx => tx.Create(Services.Make("a")), Cancelled);
            await store.RotateDataKeyAsync(key, Cancelled).WaitAsync(Patience, Cancelled);
            await group.ProposeAsync("between"u8.ToArray(), Cancelled);
        }

        await using DurableStore again = await Opened.AsLeaderAsync(Options with { DataKey = key });
        var said = new Said();
        await ProposeAsync(again, said, "after");
        Assert.Equal(["before", "between", "after"], said.Words);
    }

    private static async Task<ReplicaGroup> ProposeAsync(DurableStore store, Said said, string word)
    {
        (ReplicaGroup group, StoreMembers members) = await store.OpenGroupAsync(Second, said, Cancelled);
        await members.WaitForAsync(static v => v.IsLeading, Cancelled).WaitAsync(Patience, Cancelled);
        Assert.Equal(store.MemberId, Assert.Single(members.View.Members).Id);
        await group.ProposeAsync(Encoding.ASCII.GetBytes(word), Cancelled).WaitAsync(Patience, Cancelled);
        return group;
    }

    private sealed class Said : IStateMachine
    {
        public ConcurrentQueue<string> Words { get; } = new();

        public void Apply(ulong index, ReadOnlyMemory<byte> command) => Words.Enqueue(Encoding.ASCII.GetString(command.Span));

        public Func<Stream, CancellationToken, Task> CaptureSnapshot()
        {
            byte[] all = Encoding.ASCII.GetBytes(string.Join(' ', Words));
            return async (output, ct) => await output.WriteAsync(all, ct);
        }

        public async Task RestoreSnapshotAsync(ulong index, Stream snapshot, CancellationToken ct)
        {
            using var reader = new StreamReader(snapshot, leaveOpen: true);
            Words.Clear();
            foreach (string word in (await reader.ReadToEndAsync(ct)).Split(' '))
            {
                Words.Enqueue(word);
            }
        }
    }
}
