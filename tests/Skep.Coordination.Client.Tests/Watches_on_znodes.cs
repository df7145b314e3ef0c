using Skep.Coordination.Client.Tests.Infrastructure;
using Skep.Jute;

namespace Skep.Coordination.Client.Tests;

public sealed class Watches_on_znodes(ServerFixture fixture) : ServerTest(fixture)
{
    [Fact]
    public async Task A_one_shot_watch_fires_on_the_next_change()
    {
        CoordinationClient client = await ConnectAsync();
        CoordinationClient other = await ConnectAsync();
        Watched<Stat?> absent = await client.ExistsAndWatchAsync("/a");
        Assert.Null(absent.Value);
        await other.CreateAsync("/a");
        Assert.Equal((WatchedEventType.Created, "/a"), Seen(await absent.Changed.Within("created")));

        Watched<NodeData> data = await client.GetDataAndWatchAsync("/a");
        Watched<Stat?> there = await client.ExistsAndWatchAsync("/a");
        Watched<NodeChildren> children = await client.GetChildrenAndWatchAsync("/a");
        await other.CreateAsync("/a/b");
        Assert.Equal((WatchedEventType.ChildrenChanged, "/a"), Seen(await children.Changed.Within("child made")));
        Assert.False(data.Changed.IsCompleted);
        await other.SetDataAsync("/a", Bytes("x"));
        Assert.Equal((WatchedEventType.DataChanged, "/a"), Seen(await data.Changed.Within("data set")));
        Assert.Equal((WatchedEventType.DataChanged, "/a"), Seen(await there.Changed.Within("data set")));
    }

    [Fact]
    public async Task A_read_that_fails_leaves_no_watch()
    {
        CoordinationClient client = await ConnectAsync();
        Assert.Equal(ErrorCode.NoNode, (await Assert.ThrowsAsync<CoordinationException>(() => client.GetDataAndWatchAsync("/a"))).ErrorCode);
        Watched<Stat?> absent = await client.ExistsAndWatchAsync("/a");
        await client.CreateAsync("/a");
        await absent.Changed.Within("created");
    }

    [Fact]
    public async Task A_watch_taken_back_does_not_fire()
    {
        CoordinationClient client = await ConnectByProxyAsync();
        Watched<Stat?> taken = await client.ExistsAndWatchAsync("/a");
        taken.Dispose();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => taken.Changed);
        await client.SyncAsync("/");
        Assert.Equal(1, Proxy.Seen(OpCode.RemoveWatches));
        Watched<Stat?> kept = await client.ExistsAndWatchAsync("/a");
        Watched<Stat?> alsoTaken = await client.ExistsAndWatchAsync("/a");
        alsoTaken.Dispose();
        await client.CreateAsync("/a");
        await kept.Changed.Within("the other watch on the path still fires");
        Assert.Equal(1, Proxy.Seen(OpCode.RemoveWatches));
    }

    [Fact]
    public async Task A_persistent_watch_sees_every_change_of_its_node()
    {
        CoordinationClient client = await ConnectAsync();
        await using WatchStream stream = await client.OpenWatchAsync("/a", WatchMode.Persistent);
        await using IAsyncEnumerator<WatchedEvent> events = stream.GetAsyncEnumerator();
        await client.CreateAsync("/a");
        await client.SetDataAsync("/a", Bytes("x"));
        await client.CreateAsync("/a/b");
        await client.SetDataAsync("/a/b", Bytes("x"));
        await client.DeleteAsync("/a/b");
        await client.DeleteAsync("/a");
        WatchedEventType[] expected =
        [
            WatchedEventType.Created, WatchedEventType.DataChanged, WatchedEventType.ChildrenChanged, WatchedEventType.ChildrenChanged, WatchedEventType.Deleted,
        ];
        foreach (WatchedEventType type in expected)
        {
            Assert.Equal((type, "/a"), Seen(await events.Next($"{type}")));
        }
    }

    [Fact]
    public async Task A_recursive_watch_sees_every_change_below_its_node()
    {
        CoordinationClient client = await ConnectAsync();
        using var ended = new CancellationTokenSource();
        await client.CreateAsync("/a");
        await using IAsyncEnumerator<WatchedEvent> events = client.WatchAsync("/", WatchMode.PersistentRecursive, ended.Token).GetAsyncEnumerator();
        Task<WatchedEvent> first = events.Next("the first event");
        // The enumeration has queued its watch before this is queued.
        await client.SetDataAsync("/a", Bytes("x"));
        await client.CreateAsync("/a/b");
        await client.DeleteAsync("/a/b");
        Assert.Equal((WatchedEventType.DataChanged, "/a"), Seen(await first));
        Assert.Equal((WatchedEventType.Created, "/a/b"), Seen(await events.Next("created")));
        Assert.Equal((WatchedEventType.Deleted, "/a/b"), Seen(await events.Next("deleted")));
        await ended.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await events.MoveNextAsync());
    }

    // At servers before 3.9 a one-shot would turn the persistent watch of its path into a one-shot too.
    [Theory]
    [InlineData(WatchMode.Persistent)]
    [InlineData(WatchMode.PersistentRecursive)]
    public async Task A_one_shot_beside_a_persistent_watch_takes_nothing_from_it(WatchMode mode)
    {
        CoordinationClient client = await ConnectAsync();
        await client.CreateAsync("/a");
        Watched<NodeChildren> before = await client.GetChildrenAndWatchAsync("/a");
        await using WatchStream stream = await client.OpenWatchAsync("/a", mode);
        await using IAsyncEnumerator<WatchedEvent> events = stream.GetAsyncEnumerator();
        Watched<NodeData> data = await client.GetDataAndWatchAsync("/a");
        Watched<NodeChildren> children = await client.GetChildrenAndWatchAsync("/a");
        await client.CreateAsync("/a/b");
        Assert.Equal((WatchedEventType.ChildrenChanged, "/a"), Seen(await before.Changed.Within("children changed, watched before")));
        Assert.Equal((WatchedEventType.ChildrenChanged, "/a"), Seen(await children.Changed.Within("children changed")));
        await client.SetDataAsync("/a", Bytes("x"));
        Assert.Equal((WatchedEventType.DataChanged, "/a"), Seen(await data.Changed.Within("data changed")));
        await client.SetDataAsync("/a", Bytes("y"));
        await events.Next("first event");
        Assert.Equal(WatchedEventType.DataChanged, (await events.Next("second event")).Type);
        Assert.Equal(WatchedEventType.DataChanged, (await events.Next("third event")).Type);
    }

    [Fact]
    public async Task Two_streams_on_a_path_end_apart()
    {
        CoordinationClient client = await ConnectAsync();
        WatchStream first = await client.OpenWatchAsync("/a", WatchMode.Persistent);
        await using WatchStream second = await client.OpenWatchAsync("/a", WatchMode.Persistent);
        await Assert.ThrowsAsync<InvalidOperationException>(() => client.OpenWatchAsync("/a", WatchMode.PersistentRecursive));
        await first.DisposeAsync();
        await using IAsyncEnumerator<WatchedEvent> events = second.GetAsyncEnumerator();
        await client.CreateAsync("/a");
        Assert.Equal((WatchedEventType.Created, "/a"), Seen(await events.Next("created")));
        await second.DisposeAsync();
        await using WatchStream third = await client.OpenWatchAsync("/a", WatchMode.PersistentRecursive);
    }

    [Fact]
    public async Task A_stream_read_too_slowly_ends_and_says_that_events_were_lost()
    {
        CoordinationClient client = await ConnectAsync();
        await client.CreateAsync("/a");
        await using WatchStream stream = await client.OpenWatchAsync("/a", WatchMode.Persistent, capacity: 2);
        for (int i = 0; i < 4; i++)
        {
            await client.SetDataAsync("/a", Bytes("x"));
        }
        await using IAsyncEnumerator<WatchedEvent> events = stream.GetAsyncEnumerator();
        await events.Next("first");
        await events.Next("second");
        var lost = await Assert.ThrowsAsync<WatchOverflowException>(async () => await events.MoveNextAsync());
        Assert.Contains("events at /a were lost", lost.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stream_ends_when_the_client_is_closed()
    {
        CoordinationClient client = await ConnectAsync();
        WatchStream stream = await client.OpenWatchAsync("/a", WatchMode.Persistent);
        Watched<Stat?> watch = await client.ExistsAndWatchAsync("/b");
        await client.CloseAsync();
        await using IAsyncEnumerator<WatchedEvent> events = stream.GetAsyncEnumerator();
        Assert.False(await events.MoveNextAsync().AsTask().Within("stream ends"));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => watch.Changed);
    }

    private static (WatchedEventType, string) Seen(WatchedEvent e) => (e.Type, e.Path);
}
