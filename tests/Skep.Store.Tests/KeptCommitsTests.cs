using Docker.Swarmkit.V1;
using Google.Protobuf;

namespace Skep.Store.Tests;

/// <summary>What is kept for those that resume is bounded in bytes: a few thousand large commits must not fill the memory.</summary>
public sealed class KeptCommitsTests
{
    [Fact]
    public async Task Large_commits_push_older_ones_out()
    {
        using var store = new ClusterStore(TimeProvider.System);
        await store.UpdateAsync(tx => tx.Create(Large("first")));
        for (int i = 0; i < 64; i++)
        {
            await store.UpdateAsync(tx => tx.Create(Large($"s{i}")));
        }
        Assert.Null(store.SubscribeFrom(0));
        using StoreSubscription? recent = store.SubscribeFrom(store.Version - 10);
        Assert.Equal(10, recent?.Commits.Count);
    }

    // 1 MiB, shared: only the store's reckoning is large.
    private static readonly ByteString Data = ByteString.CopyFrom(new byte[1024 * 1024]);

    private static Config Large(string name) => new() { Id = name, Spec = new() { Annotations = new() { Name = name }, Data = Data } };
}
