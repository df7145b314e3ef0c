using Skep.Coordination.Client.Recipes;
using Skep.Coordination.Client.Tests.Infrastructure;

namespace Skep.Coordination.Client.Tests.Recipes;

public sealed class Cached_trees(ServerFixture fixture) : ServerTest(fixture)
{
    [Fact]
    public async Task A_tree_shows_what_there_is_and_what_changes()
    {
        CoordinationClient client = await ConnectAsync();
        await client.CreateAsync("/t", Bytes("root"));
        await client.CreateAsync("/t/a", Bytes("1"));
        await client.CreateAsync("/t/a/b", Bytes("2"));
        await client.CreateAsync("/outside");
        await using CachedTree tree = await CachedTree.StartAsync(client, "/t");
        Assert.Equal(3, tree.Count);
        Assert.True(tree.IsCurrent);
        Assert.Equal(["b"], tree.GetChildren("/t/a"));
        Assert.Equal("2", Text(Node(tree, "/t/a/b")));

        await using IAsyncEnumerator<TreeChange> changes = tree.Changes.GetAsyncEnumerator();
        Task<TreeChange> first = changes.Next("a node is made");
        await client.CreateAsync("/t/c", Bytes("3"));
        Assert.Equal((WatchedEventType.Created, "/t/c", "3"), Seen(await first));
        Assert.Equal(["a", "c"], tree.GetChildren("/t").Order());
        await client.SetDataAsync("/t/a", Bytes("4"));
        Assert.Equal((WatchedEventType.DataChanged, "/t/a", "4"), Seen(await changes.Next("data is set")));
        await client.DeleteAsync("/t/a/b");
        Assert.Equal((WatchedEventType.Deleted, "/t/a/b", "2"), Seen(await changes.Next("a node is deleted")));
        Assert.False(tree.TryGet("/t/a/b", out _));
        Assert.Empty(tree.GetChildren("/t/a"));
        await tree.DisposeAsync();
        Assert.False(await changes.MoveNextAsync());
    }

    [Fact]
    public async Task A_tree_catches_up_after_a_reconnect()
    {
        CoordinationClient client = await ConnectByProxyAsync();
        CoordinationClient other = await ConnectAsync();
        await client.CreateAsync("/t");
        await client.CreateAsync("/t/old");
        await using CachedTree tree = await CachedTree.StartAsync(client, "/t");
        await using IAsyncEnumerator<TreeChange> changes = tree.Changes.GetAsyncEnumerator();
        Task<TreeChange> first = changes.Next("what was made meanwhile");
        Proxy.Cut();
        await client.Reached(ConnectionState.Suspended);
        Assert.False(tree.IsCurrent);
        await other.CreateAsync("/t/new");
        await other.DeleteAsync("/t/old");
        Proxy.Restore();
        Assert.Equal((WatchedEventType.Created, "/t/new", ""), Seen(await first));
        Assert.Equal((WatchedEventType.Deleted, "/t/old", ""), Seen(await changes.Next("what was deleted meanwhile")));
    }

    [Fact]
    public async Task A_tree_of_nothing_waits_for_its_root()
    {
        CoordinationClient client = await ConnectAsync();
        await using CachedTree tree = await CachedTree.StartAsync(client, "/t");
        Assert.Equal(0, tree.Count);
        await using IAsyncEnumerator<TreeChange> changes = tree.Changes.GetAsyncEnumerator();
        Task<TreeChange> first = changes.Next("the root is made");
        await client.CreateAsync("/t");
        Assert.Equal("/t", (await first).Path);
    }

    [Fact]
    public async Task A_tree_of_more_nodes_than_allowed_is_refused()
    {
        CoordinationClient client = await ConnectAsync();
        await client.CreateAsync("/t");
        await client.CreateAsync("/t/a");
        await Assert.ThrowsAsync<InvalidOperationException>(() => CachedTree.StartAsync(client, "/t", maxNodes: 1));
        await using CachedTree tree = await CachedTree.StartAsync(client, "/t", maxNodes: 2);
        await client.CreateAsync("/t/b");
        await Assert.ThrowsAsync<InvalidOperationException>(() => tree.Completion.Within("the tree ends"));
    }

    private static ReadOnlyMemory<byte> Node(CachedTree tree, string path) => tree.TryGet(path, out NodeData node) ? node.Data : throw new KeyNotFoundException(path);

    private static (WatchedEventType, string, string) Seen(TreeChange change) => (change.Type, change.Path, Text(change.Node.Data));
}
