using Docker.Swarmkit.V1;
using Google.Protobuf;
using Skep.Api;

namespace Skep.Store.Tests.Transactions;

public sealed class Changing_the_store : IDisposable
{
    private readonly ClusterStore store = new(TimeProvider.System);

    public void Dispose() => store.Dispose();

    [Fact]
    public async Task What_was_created_is_found_by_id_and_by_name_in_any_case()
    {
        Service web = Named("web");
        await store.UpdateAsync(tx => tx.Create(web));
        Assert.Same(web, store.Read(v => v.Get<Service>(web.Id)));
        Assert.Same(web, store.Read(v => v.ByName<Service>("WEB")));
        Assert.Equal(1, store.Read(v => v.Count<Service>()));
    }

    [Fact]
    public async Task A_version_is_the_index_of_the_last_change()
    {
        Service web = Named("web");
        ulong created = await store.UpdateAsync(tx => tx.Create(web));
        Service changed = web.Clone();
        ulong updated = await store.UpdateAsync(tx => tx.Update(changed));
        Assert.Equal((created, updated), (web.Meta.Version.Index, changed.Meta.Version.Index));
        Assert.True(updated > created);
        Assert.Equal(web.Meta.CreatedAt, changed.Meta.CreatedAt);
    }

    [Fact]
    public async Task An_update_of_an_older_version_is_refused()
    {
        Service web = Named("web");
        await store.UpdateAsync(tx => tx.Create(web));
        Service mine = web.Clone();
        Service theirs = web.Clone();
        await store.UpdateAsync(tx => tx.Update(theirs));
        StoreException e = await Assert.ThrowsAsync<StoreException>(() => store.UpdateAsync(tx => tx.Update(mine)));
        Assert.Equal((StoreErrorKind.OutOfSequence, "update out of sequence"), (e.Kind, e.Message));
        Assert.Same(theirs, store.Read(v => v.Get<Service>(web.Id)));
    }

    [Fact]
    public async Task A_name_belongs_to_one_object_until_it_is_renamed_or_removed()
    {
        Service web = Named("web");
        Service other = Named("other");
        await store.UpdateAsync(tx =>
        {
            tx.Create(web);
            tx.Create(other);
        });
        Assert.Equal(StoreErrorKind.NameConflict, (await Refused(tx => tx.Create(Named("Web")))).Kind);
        await store.UpdateAsync(tx =>
        {
            Service renamed = web.Clone();
            renamed.Spec.Annotations.Name = "www";
            tx.Update(renamed);
            tx.Create(Named("web"));
        });
        Assert.Equal(web.Id, store.Read(v => v.ByName<Service>("www")!.Id));
        await store.UpdateAsync(tx => tx.Remove<Service>(other.Id));
        Assert.Null(store.Read(v => v.ByName<Service>("other")));
        await store.UpdateAsync(tx => tx.Create(Named("other")));
    }

    [Fact]
    public async Task A_transaction_sees_its_own_writes_and_nobody_else_does_before_it_commits()
    {
        await store.UpdateAsync(tx =>
        {
            tx.Create(new SwarmTask { Id = "t1", ServiceId = "s", NodeId = "n1", Slot = 1 });
            SwarmTask moved = tx.Get<SwarmTask>("t1")!.Clone();
            moved.NodeId = "n2";
            tx.Update(moved);
            Assert.Empty(tx.TasksByNode("n1"));
            Assert.Single(tx.TasksByNode("n2"));
            Assert.Single(tx.TasksByService("s"));
            Assert.Single(tx.TasksBySlot("s", 1));
            Assert.Equal(1, tx.Count<SwarmTask>());
            Assert.Equal(0, store.Read(v => v.Count<SwarmTask>()));
        });
        Assert.Single(store.Read(v => v.TasksByNode("n2").ToList()));
    }

    [Fact]
    public async Task A_change_that_throws_leaves_nothing_behind()
    {
        await Assert.ThrowsAsync<InvalidOperationException>(() => store.UpdateAsync(tx =>
        {
            tx.Create(Named("half"));
            throw new InvalidOperationException("no further");
        }));
        Assert.Equal((0, 0ul), (store.Read(v => v.Count<Service>()), store.Version));
    }

    [Fact]
    public async Task An_object_that_was_changed_in_place_is_not_taken()
    {
        Service web = Named("web");
        await store.UpdateAsync(tx => tx.Create(web));
        await Assert.ThrowsAsync<InvalidOperationException>(() => store.UpdateAsync(tx => tx.Update(tx.Get<Service>(web.Id)!)));
    }

    [Fact]
    public async Task A_transaction_has_at_most_200_changes_and_a_megabyte_and_a_half()
    {
        StoreException many = await Refused(tx =>
        {
            for (int i = 0; i <= ClusterStore.MaxChanges; i++)
            {
                tx.Create(Named($"s{i}"));
            }
        });
        StoreException large = await Refused(tx => tx.Create(new Config { Id = "c", Spec = new() { Annotations = new() { Name = "c" }, Data = ByteString.CopyFrom(new byte[ClusterStore.MaxTransactionBytes]) } }));
        Assert.Equal((StoreErrorKind.TooLarge, StoreErrorKind.TooLarge), (many.Kind, large.Kind));
    }

    [Fact]
    public async Task A_batch_is_cut_into_transactions_that_keep_the_bounds()
    {
        using StoreSubscription subscription = store.Subscribe();
        await store.BatchAsync(Enumerable.Range(0, 1000), (tx, i) => tx.Create(Named($"s{i}")));
        Assert.Equal(1000, store.Read(v => v.Count<Service>()));
        int commits = 0;
        while (subscription.Commits.TryRead(out StoreCommit? commit))
        {
            commits++;
            Assert.InRange(commit.Changes.Count, 1, ClusterStore.MaxChanges);
        }
        Assert.InRange(commits, 5, 7);
    }

    [Fact]
    public async Task Fields_of_another_era_survive_an_update()
    {
        // Field 1999 of a service, which no version knows: tag, length, bytes.
        byte[] foreign = [.. Named("web").ToByteArray(), 0xfa, 0x7c, 0x03, (byte)'n', (byte)'e', (byte)'w'];
        Service web = Service.Parser.ParseFrom(foreign);
        await store.UpdateAsync(tx => tx.Create(web));
        Service changed = store.Read(v => v.Get<Service>(web.Id))!.Clone();
        changed.Spec.Annotations.Labels["a"] = "b";
        await store.UpdateAsync(tx => tx.Update(changed));
        byte[] bytes = store.Read(v => v.Get<Service>(web.Id))!.ToByteArray();
        Assert.Contains("new", System.Text.Encoding.Latin1.GetString(bytes), StringComparison.Ordinal);
    }

    private static Service Named(string name) => new() { Id = Ids.New(), Spec = new() { Annotations = new() { Name = name } } };

    private Task<StoreException> Refused(Action<WriteTransaction> change) => Assert.ThrowsAsync<StoreException>(() => store.UpdateAsync(change));
}
