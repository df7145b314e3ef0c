using Skep.Coordination.Client.Recipes;
using Skep.Coordination.Client.Tests.Infrastructure;
using Skep.Jute;

namespace Skep.Coordination.Client.Tests.Recipes;

public sealed class Locks(ServerFixture fixture) : ServerTest(fixture)
{
    [Fact]
    public async Task One_holds_at_a_time_and_later_holders_have_higher_tokens()
    {
        CoordinationClient[] clients = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => ConnectAsync()));
        var tokens = new List<long>();
        int holders = 0;
        await Task.WhenAll(Enumerable.Range(0, 40).Select(async i =>
        {
            await using LockHandle held = await new DistributedLock(clients[i % 4], "/app/lock").AcquireAsync();
            Assert.Equal(1, Interlocked.Increment(ref holders));
            tokens.Add(held.FencingToken);
            await clients[i % 4].SyncAsync("/");
            Interlocked.Decrement(ref holders);
        })).Within("40 turns");
        Assert.Equal(40, tokens.Count);
        Assert.Equal(tokens.Order(), tokens);
        Assert.Equal(40, tokens.Distinct().Count());
        await SeesOthers(clients[0]);
        Assert.Empty((await clients[0].GetChildrenAsync("/app/lock")).Children);
    }

    [Fact]
    public async Task A_release_wakes_only_the_next_in_line()
    {
        CoordinationClient client = await ConnectAsync();
        var mutex = new DistributedLock(client, "/lock");
        LockHandle first = await mutex.AcquireAsync();
        var waiting = new List<Task<LockHandle>>();
        for (int i = 0; i < 3; i++)
        {
            waiting.Add(mutex.AcquireAsync());
            await LineIs(client, "/lock", i + 2);
        }
        await first.DisposeAsync();
        LockHandle second = await waiting[0].Within("the next gets the lock");
        Assert.False(waiting[1].IsCompleted || waiting[2].IsCompleted);
        await second.DisposeAsync();
        await (await waiting[1].Within("third")).DisposeAsync();
        await (await waiting[2].Within("fourth")).DisposeAsync();
    }

    [Fact]
    public async Task Impatience_and_cancellation_leave_the_line()
    {
        CoordinationClient client = await ConnectAsync();
        var mutex = new DistributedLock(client, "/lock");
        LockHandle held = (await mutex.TryAcquireAsync(TimeSpan.Zero))!;
        Assert.Null(await mutex.TryAcquireAsync(TimeSpan.Zero));
        Assert.Null(await mutex.TryAcquireAsync(TimeSpan.FromMilliseconds(50)));
        using var cancelled = new CancellationTokenSource();
        Task<LockHandle> third = mutex.AcquireAsync(cancelled.Token);
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => third);
        await LineIs(client, "/lock", 1);
        await held.DisposeAsync();
        await held.DisposeAsync();
        await LineIs(client, "/lock", 0);
    }

    [Fact]
    public async Task A_suspended_session_loses_the_lock_after_the_grace_period()
    {
        CoordinationClient client = await ConnectByProxyAsync();
        LockHandle patient = await new DistributedLock(client, "/a", TimeSpan.FromMinutes(1)).AcquireAsync();
        LockHandle strict = await new DistributedLock(client, "/b", TimeSpan.FromMilliseconds(50)).AcquireAsync();
        Proxy.Cut();
        await strict.LostToken.Fires("the strict holder is told");
        Assert.False(patient.LostToken.IsCancellationRequested);
        Proxy.Restore();
        await client.Reached(ConnectionState.Connected);
        await client.SyncAsync("/");
        Assert.False(patient.LostToken.IsCancellationRequested);
        await patient.DisposeAsync();
        await strict.DisposeAsync();
        Assert.False(patient.LostToken.IsCancellationRequested);
    }

    [Fact]
    public async Task An_expired_session_loses_the_lock_and_the_next_has_a_higher_token()
    {
        CoordinationClient client = await ConnectByProxyAsync(o => o with { SessionTimeoutMs = 2_000 });
        CoordinationClient other = await ConnectAsync();
        LockHandle held = await new DistributedLock(client, "/lock").AcquireAsync();
        Task<LockHandle> next = new DistributedLock(other, "/lock").AcquireAsync();
        Proxy.Cut();
        await using LockHandle second = await next.Within("the other gets the lock");
        await held.LostToken.Fires("the first holder is told");
        Assert.True(second.FencingToken > held.FencingToken);
        Proxy.Restore();
        await client.Reached(ConnectionState.Expired);
        await held.DisposeAsync().AsTask().Within("a lost lock is given back at once");
    }

    [Fact]
    public async Task A_holder_whose_node_is_deleted_is_told()
    {
        CoordinationClient client = await ConnectAsync();
        CoordinationClient other = await ConnectAsync();
        await using LockHandle held = await new DistributedLock(client, "/lock").AcquireAsync();
        await other.DeleteAsync(held.Path);
        await held.LostToken.Fires("the holder is told");
    }

    [Fact]
    public async Task A_node_made_in_a_request_without_an_answer_is_found_again()
    {
        CoordinationClient client = await ConnectByProxyAsync();
        CoordinationClient other = await ConnectAsync();
        await other.CreateAsync("/lock");
        Watched<NodeChildren> line = await other.GetChildrenAndWatchAsync("/lock");
        Proxy.HoldAnswers();
        Task<LockHandle> acquiring = new DistributedLock(client, "/lock").AcquireAsync();
        await line.Changed.Within("the node is made at the server");
        Proxy.Cut();
        Proxy.Release();
        Proxy.Restore();
        await using LockHandle held = await acquiring.Within("the lock is acquired");
        Assert.EndsWith(Assert.Single((await other.GetChildrenAsync("/lock")).Children), held.Path, StringComparison.Ordinal);
        Assert.Equal((await other.ExistsAsync(held.Path))!.Value.Czxid, held.FencingToken);
    }

    [Fact]
    public async Task A_node_made_for_one_who_has_cancelled_meanwhile_is_deleted()
    {
        CoordinationClient client = await ConnectByProxyAsync();
        CoordinationClient other = await ConnectAsync();
        await other.CreateAsync("/lock");
        Watched<NodeChildren> line = await other.GetChildrenAndWatchAsync("/lock");
        Proxy.HoldAnswers();
        using var cancelled = new CancellationTokenSource();
        Task<LockHandle> acquiring = new DistributedLock(client, "/lock").AcquireAsync(cancelled.Token);
        await line.Changed.Within("the node is made at the server");
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => acquiring);
        Proxy.Release();
        await LineIs(other, "/lock", 0);
    }

    [Fact]
    public async Task Readers_share_and_a_writer_is_alone()
    {
        CoordinationClient client = await ConnectAsync();
        var rw = new DistributedReadWriteLock(client, "/rw");
        LockHandle reader1 = await rw.AcquireReadAsync();
        LockHandle reader2 = await rw.AcquireReadAsync().Within("two readers at once");
        Task<LockHandle> writer = rw.AcquireWriteAsync();
        await LineIs(client, "/rw", 3);
        Task<LockHandle> reader3 = rw.AcquireReadAsync();
        await LineIs(client, "/rw", 4);
        await reader2.DisposeAsync();
        Assert.False(writer.IsCompleted || reader3.IsCompleted);
        await reader1.DisposeAsync();
        LockHandle writing = await writer.Within("the writer's turn");
        Assert.False(reader3.IsCompleted);
        await writing.DisposeAsync();
        LockHandle reading = await reader3.Within("the reader after the writer");
        Assert.True(reading.FencingToken > writing.FencingToken && writing.FencingToken > reader2.FencingToken);
        await reading.DisposeAsync();
    }

    [Fact]
    public async Task So_many_hold_a_semaphore_as_it_has_leases()
    {
        CoordinationClient client = await ConnectAsync();
        var semaphore = new DistributedSemaphore(client, "/semaphore", 3);
        int holders = 0;
        int most = 0;
        await Task.WhenAll(Enumerable.Range(0, 20).Select(async _ =>
        {
            await using LockHandle lease = await semaphore.AcquireAsync();
            int now = Interlocked.Increment(ref holders);
            lock (semaphore)
            {
                most = Math.Max(most, now);
            }
            await client.SyncAsync("/");
            await client.SyncAsync("/");
            Interlocked.Decrement(ref holders);
        })).Within("20 turns");
        Assert.InRange(most, 1, 3);
        LockHandle[] all = [await semaphore.AcquireAsync(), await semaphore.AcquireAsync(), await semaphore.AcquireAsync().Within("three at once")];
        using var cancelled = new CancellationTokenSource();
        Task<LockHandle> fourth = semaphore.AcquireAsync(cancelled.Token);
        await LineIs(client, "/semaphore/leases", 4);
        Assert.False(fourth.IsCompleted);
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => fourth);
        await LineIs(client, "/semaphore/leases", 3);
        foreach (LockHandle lease in all)
        {
            await lease.DisposeAsync();
        }
    }

    private static async Task LineIs(CoordinationClient client, string path, int length)
    {
        while (true)
        {
            using Watched<NodeChildren> line = await client.GetChildrenAndWatchAsync(path);
            if (line.Value.Children.Count == length)
            {
                return;
            }
            await line.Changed.Within($"{length} in line at {path}, {line.Value.Children.Count} are");
        }
    }
}
