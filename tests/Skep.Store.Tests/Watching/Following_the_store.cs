using Docker.Swarmkit.V1;

namespace Skep.Store.Tests.Watching;

public sealed class Following_the_store : IDisposable
{
    private readonly ClusterStore store = new(TimeProvider.System);

    public void Dispose() => store.Dispose();

    [Fact]
    public async Task Commits_come_in_order_with_old_and_new_objects()
    {
        using StoreSubscription subscription = store.Subscribe();
        await CreateAsync("a");
        Node changed = store.Read(v => v.Get<Node>("a"))!.Clone();
        await store.UpdateAsync(tx => tx.Update(changed));
        await store.UpdateAsync(tx => tx.Remove<Node>("a"));
        StoreChange[] changes = [.. Read(subscription).SelectMany(c => c.Changes)];
        Assert.Equal([StoreChangeKind.Create, StoreChangeKind.Update, StoreChangeKind.Remove], changes.Select(c => c.Kind));
        Assert.Same(changes[0].Object, changes[1].Old);
        Assert.Same(changed, changes[2].Object);
    }

    [Fact]
    public async Task Reading_and_subscribing_misses_nothing_and_doubles_nothing()
    {
        await CreateAsync("a");
        (int count, StoreSubscription subscription) = store.ReadAndSubscribe(v => v.Count<Node>());
        using (subscription)
        {
            await CreateAsync("b");
            Assert.Equal(1, count);
            Assert.Equal("b", Assert.Single(Assert.Single(Read(subscription)).Changes).Object.Id);
        }
    }

    [Fact]
    public async Task A_reader_that_falls_behind_is_told_and_holds_up_nobody()
    {
        using StoreSubscription slow = store.Subscribe(capacity: 2);
        using StoreSubscription quick = store.Subscribe();
        for (int i = 0; i < 4; i++)
        {
            await CreateAsync($"n{i}");
        }
        Assert.Equal(4, Read(quick).Count);
        Assert.Equal(2, Read(slow).Count);
        await Assert.ThrowsAsync<StoreLaggedException>(() => slow.Commits.Completion);
    }

    [Fact]
    public async Task A_reader_resumes_behind_the_version_that_it_saw()
    {
        await CreateAsync("a");
        ulong seen = store.Version;
        await CreateAsync("b");
        await CreateAsync("c");
        using StoreSubscription? resumed = store.SubscribeFrom(seen);
        await CreateAsync("d");
        Assert.Equal(["b", "c", "d"], Read(resumed!).SelectMany(c => c.Changes).Select(c => c.Object.Id));
    }

    [Fact]
    public async Task A_version_too_far_back_cannot_be_resumed()
    {
        await CreateAsync("first");
        for (int i = 0; i < 2_001; i++)
        {
            Node next = store.Read(v => v.Get<Node>("first"))!.Clone();
            await store.UpdateAsync(tx => tx.Update(next));
        }
        Assert.Null(store.SubscribeFrom(0));
        Assert.NotNull(store.SubscribeFrom(store.Version - 10));
    }

    [Fact]
    public async Task A_restored_snapshot_sends_every_reader_back_to_the_start()
    {
        await CreateAsync("a");
        Snapshot snapshot = store.TakeSnapshot();
        ulong version = store.Version;
        await CreateAsync("b");
        using StoreSubscription subscription = store.Subscribe();
        store.Restore(version, snapshot);
        await Assert.ThrowsAsync<StoreLaggedException>(() => subscription.Commits.Completion);
        Assert.Equal(["a"], store.Read(v => v.List<Node>().Select(n => n.Id).ToList()));
        Assert.Equal(version, store.Version);
    }

    private static List<StoreCommit> Read(StoreSubscription subscription)
    {
        var commits = new List<StoreCommit>();
        while (subscription.Commits.TryRead(out StoreCommit? commit))
        {
            commits.Add(commit);
        }
        return commits;
    }

    private Task<ulong> CreateAsync(string id) => store.UpdateAsync(tx => tx.Create(new Node { Id = id }));
}
