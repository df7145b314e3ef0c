using Docker.Swarmkit.V1;
using Skep.Store.Tests.Durability;

namespace Skep.Store.Tests;

/// <summary>What the store makes of a proposer that gives a transaction up.</summary>
public sealed class ProposingTests
{
    [Fact]
    public async Task A_transaction_that_was_given_up_and_became_durable_all_the_same_is_applied_as_itself()
    {
        var log = new LateLog();
        using var store = new ClusterStore(TimeProvider.System, log);
        log.Store = store;
        await Assert.ThrowsAsync<StoreException>(() => store.UpdateAsync(tx => tx.Create(Services.Make("late"))));
        Assert.Null(store.Read(v => v.Get<Service>("late")));

        await store.UpdateAsync(tx => tx.Create(Services.Make("next")));

        Assert.Equal(1UL, store.Read(v => v.Get<Service>("late"))?.Meta.Version.Index);
        Assert.Equal(2UL, store.Read(v => v.Get<Service>("next"))?.Meta.Version.Index);
    }

    /// <summary>Refuses the first transaction, and commits it after all before the second.</summary>
    private sealed class LateLog : IProposer
    {
        private byte[]? late;

        public ClusterStore Store { get; set; } = null!;

        public ValueTask<ulong> BeginAsync() => new(1UL);

        public Task<ulong> ProposeAsync(ReadOnlyMemory<byte> transaction, ulong term, CancellationToken ct)
        {
            if (late is null)
            {
                late = transaction.ToArray();
                throw new StoreException(StoreErrorKind.Stopped, "nobody knows what became of it");
            }
            Store.Apply(1, late);
            Store.Apply(2, transaction.Span);
            return Task.FromResult(2UL);
        }
    }
}
