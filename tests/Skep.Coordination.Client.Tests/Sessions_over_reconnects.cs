using Skep.Coordination.Client.Tests.Infrastructure;
using Skep.Jute;

namespace Skep.Coordination.Client.Tests;

public sealed class Sessions_over_reconnects(ServerFixture fixture) : ServerTest(fixture)
{
    [Fact]
    public async Task A_cut_connection_keeps_the_session_its_ephemerals_and_its_watches()
    {
        CoordinationClient client = await ConnectByProxyAsync(o => o with { Auth = [AuthInfo.Digest("ann", "secret")] });
        CoordinationClient other = await ConnectAsync();
        await client.CreateAsync("/e", mode: CreateMode.Ephemeral);
        await client.CreateAsync("/mine", Bytes("x"), acl: [.. Acls.CreatorAll, .. Acls.ReadOnly]);
        await client.CreateAsync("/d");
        Watched<Stat?> made = await client.ExistsAndWatchAsync("/made-meanwhile");
        Watched<Stat?> later = await client.ExistsAndWatchAsync("/made-later");
        Watched<NodeChildren> children = await client.GetChildrenAndWatchAsync("/d");
        Watched<NodeData> data = await client.GetDataAndWatchAsync("/d");
        await using WatchStream stream = await client.OpenWatchAsync("/tree", WatchMode.PersistentRecursive);
        await using IAsyncEnumerator<WatchedEvent> events = stream.GetAsyncEnumerator();
        long session = client.SessionId;

        Proxy.Cut();
        await client.Reached(ConnectionState.Suspended);
        await other.CreateAsync("/made-meanwhile");
        await other.CreateAsync("/d/child");
        Proxy.Restore();
        await client.Reached(ConnectionState.Connected);

        Assert.Equal(session, client.SessionId);
        Assert.Equal(WatchedEventType.Created, (await made.Changed.Within("what was made meanwhile is told")).Type);
        Assert.Equal(WatchedEventType.ChildrenChanged, (await children.Changed.Within("the child made meanwhile is told")).Type);
        Assert.Equal(WatchedEventType.Reconnected, (await events.Next("the reconnect is told")).Type);
        await SeesOthers(other);
        Assert.Equal(session, (await other.ExistsAsync("/e"))!.Value.EphemeralOwner);
        // The identity was shown again.
        await client.SetDataAsync("/mine", Bytes("y"));
        Assert.False(later.Changed.IsCompleted || data.Changed.IsCompleted);
        await other.CreateAsync("/made-later");
        await other.SetDataAsync("/d", Bytes("x"));
        await other.CreateAsync("/tree");
        await later.Changed.Within("the one-shot on what is not there stands again");
        await data.Changed.Within("the one-shot on data stands again");
        Assert.Equal(WatchedEventType.Created, (await events.Next("the persistent watch stands again")).Type);
        Assert.Equal((1, 0), (Proxy.Seen(OpCode.SetWatches2), Proxy.Seen(OpCode.SetWatches)));
    }

    [Fact]
    public async Task Watches_stand_again_where_none_of_them_is_persistent()
    {
        CoordinationClient client = await ConnectByProxyAsync();
        Watched<Stat?>[] watches = await Task.WhenAll(Enumerable.Range(0, 3000).Select(i => client.ExistsAndWatchAsync($"/{new string('x', 100)}{i}")));
        Proxy.Cut();
        await client.Reached(ConnectionState.Suspended);
        Proxy.Restore();
        await client.CreateAsync($"/{new string('x', 100)}2999").Within("create after the reconnect");
        await watches[2999].Changed.Within("a watch out of more than fit into one request");
        Assert.Equal((0, true), (Proxy.Seen(OpCode.SetWatches2), Proxy.Seen(OpCode.SetWatches) > 0));
    }

    [Fact]
    public async Task Requests_made_while_suspended_wait_and_can_be_cancelled()
    {
        CoordinationClient client = await ConnectByProxyAsync();
        Proxy.Cut();
        await client.Reached(ConnectionState.Suspended);
        using var impatient = new CancellationTokenSource();
        Task<CreatedNode> cancelled = client.CreateAsync("/cancelled", ct: impatient.Token);
        Task<CreatedNode> kept = client.CreateAsync("/kept");
        await impatient.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        Assert.False(kept.IsCompleted);
        Proxy.Restore();
        await kept.Within("the request made while suspended is done");
        Assert.Null(await client.ExistsAsync("/cancelled"));
    }

    [Fact]
    public async Task A_write_without_an_answer_says_that_its_outcome_is_not_known_and_a_read_is_sent_again()
    {
        CoordinationClient client = await ConnectByProxyAsync();
        CoordinationClient other = await ConnectAsync();
        Watched<Stat?> arrives = await other.ExistsAndWatchAsync("/a");
        await client.CreateAsync("/before", Bytes("x"));
        Proxy.HoldAnswers();
        Task<CreatedNode> write = client.CreateAsync("/a");
        Task<NodeData> read = client.GetDataAsync("/before");
        Task<Watched<Stat?>> watched = client.ExistsAndWatchAsync("/a/b");
        await arrives.Changed.Within("the write is done at the server");
        Proxy.Cut();
        var lost = await Assert.ThrowsAsync<ConnectionLossException>(() => write.Within("write fails"));
        Assert.Equal("Create2 /a: the connection was lost before the answer came; whether it was done is not known", lost.Message);
        Assert.Equal("/a", lost.Path);
        Assert.False(read.IsCompleted);
        Proxy.Release();
        Proxy.Restore();
        Assert.Equal("x", Text((await read.Within("the read is answered")).Data));
        Watched<Stat?> watch = await watched.Within("the watching read is answered");
        await client.CreateAsync("/a/b");
        await watch.Changed.Within("its watch stands");
    }

    [Fact]
    public async Task Reads_fail_too_where_they_are_not_to_be_repeated()
    {
        CoordinationClient client = await ConnectByProxyAsync(o => o with { RetryReads = false });
        Proxy.HoldAnswers();
        Task<Stat?> read = client.ExistsAsync("/a");
        Task<Watched<Stat?>> watched = client.ExistsAndWatchAsync("/a");
        Proxy.Cut();
        await Assert.ThrowsAsync<ConnectionLossException>(() => read.Within("read fails"));
        await Assert.ThrowsAsync<ConnectionLossException>(() => watched.Within("read fails"));
        Proxy.Release();
        Proxy.Restore();
    }

    [Fact]
    public async Task Silence_of_two_thirds_of_the_timeout_is_a_lost_connection()
    {
        CoordinationClient client = await ConnectByProxyAsync(o => o with { SessionTimeoutMs = 3_000 });
        CoordinationClient other = await ConnectAsync();
        await client.CreateAsync("/e", mode: CreateMode.Ephemeral);
        int connections = Proxy.Accepted;
        Proxy.HoldAnswers();
        await client.Reached(ConnectionState.Suspended);
        Proxy.Release();
        await client.Reached(ConnectionState.Connected);
        Assert.True(Proxy.Accepted > connections);
        await SeesOthers(other);
        Assert.NotNull(await other.ExistsAsync("/e"));
    }

    [Fact]
    public async Task Pings_keep_a_session_at_rest_on_its_connection()
    {
        CoordinationClient client = await ConnectByProxyAsync(o => o with { SessionTimeoutMs = 4_000 });
        CoordinationClient other = await ConnectAsync();
        await client.CreateAsync("/e", mode: CreateMode.Ephemeral);
        await SeesOthers(other);
        Watched<Stat?> gone = await other.ExistsAndWatchAsync("/e");
        int connections = Proxy.Accepted;
        // At rest for more than the timeout: nothing happens, and that can only be waited for.
        await Assert.ThrowsAsync<TimeoutException>(() => gone.Changed.WaitAsync(TimeSpan.FromMilliseconds(1.5 * client.SessionTimeoutMs)));
        Assert.True(Proxy.Seen(OpCode.Ping) >= 3);
        Assert.Equal(connections, Proxy.Accepted);
        Assert.Equal(ConnectionState.Connected, client.State);
    }

    [Fact]
    public async Task An_expired_session_ends_the_client_and_all_that_waits()
    {
        CoordinationClient client = await ConnectByProxyAsync(o => o with { SessionTimeoutMs = 2_000 });
        CoordinationClient other = await ConnectAsync();
        await client.CreateAsync("/e", mode: CreateMode.Ephemeral);
        Watched<Stat?> watch = await client.ExistsAndWatchAsync("/a");
        await using WatchStream stream = await client.OpenWatchAsync("/a", WatchMode.Persistent);
        await SeesOthers(other);
        Watched<Stat?> gone = await other.ExistsAndWatchAsync("/e");
        Proxy.Cut();
        await client.Reached(ConnectionState.Suspended);
        Task<Stat?> waiting = client.ExistsAsync("/a");
        Assert.Equal(WatchedEventType.Deleted, (await gone.Changed.Within("the session expires at the server")).Type);
        Proxy.Restore();
        await client.Reached(ConnectionState.Expired);
        await Assert.ThrowsAsync<SessionExpiredException>(() => waiting.Within("the waiting request fails"));
        await Assert.ThrowsAsync<SessionExpiredException>(() => watch.Changed.Within("the one-shot fails"));
        await using IAsyncEnumerator<WatchedEvent> events = stream.GetAsyncEnumerator();
        await Assert.ThrowsAsync<SessionExpiredException>(() => events.MoveNextAsync().AsTask().Within("the stream fails"));
        await Assert.ThrowsAsync<SessionExpiredException>(() => client.ExistsAsync("/a"));
    }

    [Fact]
    public async Task The_states_are_told_in_their_order()
    {
        CoordinationClient client = await ConnectByProxyAsync();
        await using IAsyncEnumerator<ConnectionState> states = client.StateChanges.GetAsyncEnumerator();
        Assert.Equal(ConnectionState.Connected, await states.Next("the state now"));
        Proxy.Cut();
        Assert.Equal(ConnectionState.Suspended, await states.Next("suspended"));
        Proxy.Restore();
        Assert.Equal(ConnectionState.Connected, await states.Next("connected"));
        await client.CloseAsync();
        Assert.Equal(ConnectionState.Closed, await states.Next("closed"));
        Assert.False(await states.MoveNextAsync());
    }

    [Fact]
    public async Task A_client_that_reaches_no_server_says_so()
    {
        Proxy.Cut();
        var none = await Assert.ThrowsAsync<ConnectionLossException>(() => ConnectByProxyAsync(o => o with { ConnectTimeout = TimeSpan.FromMilliseconds(300) }));
        Assert.Contains($"none of {Proxy.Address} took a session within 0.3 s", none.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_is_down_is_passed_over()
    {
        Proxy.Cut();
        for (int seed = 0; seed < 4; seed++)
        {
            CoordinationClient client = await ConnectAsync(o => o with { Servers = [Proxy.Address, ServerAddress], Seed = seed });
            Assert.Equal(ConnectionState.Connected, client.State);
        }
    }
}
