using Skep.Coordination.Client.Recipes;
using Skep.Coordination.Client.Tests.Infrastructure;
using Skep.Jute;

namespace Skep.Coordination.Client.Tests.Recipes;

public sealed class Barriers_and_queues(ServerFixture fixture) : ServerTest(fixture)
{
    [Fact]
    public async Task A_barrier_holds_all_up_until_it_is_removed()
    {
        CoordinationClient client = await ConnectAsync();
        CoordinationClient other = await ConnectAsync();
        var barrier = new DistributedBarrier(client, "/app/barrier");
        await barrier.WaitAsync().Within("no barrier is set");
        await barrier.SetAsync();
        await barrier.SetAsync();
        await SeesOthers(other);
        Task waiting = new DistributedBarrier(other, "/app/barrier").WaitAsync();
        await other.SyncAsync("/");
        Assert.False(waiting.IsCompleted);
        await barrier.RemoveAsync();
        await waiting.Within("the barrier is removed");
    }

    [Fact]
    public async Task Members_begin_together_and_end_together()
    {
        CoordinationClient[] clients = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => ConnectAsync()));
        DistributedDoubleBarrier[] members = [.. clients.Select(c => new DistributedDoubleBarrier(c, "/app/double", 5))];
        List<Task> entering = [.. members.Take(4).Select(m => m.EnterAsync())];
        await clients[4].SyncAsync("/");
        Assert.DoesNotContain(entering, t => t.IsCompleted);
        await members[4].EnterAsync().Within("the last has come");
        await Task.WhenAll(entering).Within("all go on");
        List<Task> leaving = [.. members.Take(4).Select(m => m.LeaveAsync())];
        await clients[4].SyncAsync("/");
        Assert.DoesNotContain(leaving, t => t.IsCompleted);
        await members[4].LeaveAsync().Within("the last leaves");
        await Task.WhenAll(leaving).Within("all have left");
        await SeesOthers(clients[0]);
        Assert.Empty((await clients[0].GetChildrenAsync("/app/double")).Children);
    }

    [Fact]
    public async Task Items_come_out_in_their_order_each_to_one()
    {
        CoordinationClient[] clients = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => ConnectAsync()));
        DistributedQueue[] queues = [.. clients.Select(c => new DistributedQueue(c, "/app/queue"))];
        Assert.Null(await queues[0].TryDequeueAsync());
        for (int i = 0; i < 10; i++)
        {
            await queues[0].EnqueueAsync(Bytes($"{i}"));
        }
        await SeesOthers(clients[1]);
        Assert.Equal(10, await queues[1].CountAsync());
        Assert.Equal("0", Text((await queues[1].TryDequeueAsync())!.Value));
        Assert.Equal("1", Text(await queues[2].DequeueAsync()));
        ReadOnlyMemory<byte>[] rest = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => queues[i % 3].DequeueAsync())).Within("the rest");
        Assert.Equal(Enumerable.Range(2, 8).Select(i => $"{i}"), rest.Select(r => Text(r)).Order());
        Task<ReadOnlyMemory<byte>>[] waiting = [queues[1].DequeueAsync(), queues[2].DequeueAsync()];
        await queues[0].EnqueueAsync(Bytes("a"));
        await queues[0].EnqueueAsync(Bytes("b"));
        Assert.Equal(["a", "b"], (await Task.WhenAll(waiting).Within("those who wait")).Select(w => Text(w)).Order());
    }

    [Fact]
    public async Task Where_the_clients_root_is_missing_recipes_say_so()
    {
        CoordinationClient client = await ConnectAsync(o => o with { Chroot = $"{Root}/missing" });
        var missing = await Assert.ThrowsAsync<CoordinationException>(() => new DistributedBarrier(client, "/app/barrier").SetAsync().Within("refusal"));
        Assert.Equal(ErrorCode.NoNode, missing.ErrorCode);
        await Assert.ThrowsAsync<CoordinationException>(() => new DistributedLock(client, "/lock").AcquireAsync().Within("refusal"));
    }

    [Fact]
    public async Task An_item_is_put_and_taken_exactly_once_over_lost_answers()
    {
        CoordinationClient client = await ConnectByProxyAsync();
        CoordinationClient other = await ConnectAsync();
        var queue = new DistributedQueue(client, "/queue");
        await queue.EnqueueAsync(Bytes("first"));
        await LoseTheAnswerAsync(() => queue.EnqueueAsync(Bytes("second")));
        Assert.Equal(2, await queue.CountAsync());
        Assert.Equal("first", Text((await queue.TryDequeueAsync())!.Value));
        ReadOnlyMemory<byte>? second = null;
        await LoseTheAnswerAsync(async () => second = await queue.DequeueAsync());
        Assert.Equal("second", Text(second!.Value));
        Assert.Equal(0, await queue.CountAsync());

        async Task LoseTheAnswerAsync(Func<Task> change)
        {
            await SeesOthers(other);
            Watched<NodeChildren> items = await other.GetChildrenAndWatchAsync("/queue/items");
            // What it reads before must come through; only its transaction's answer is to be lost.
            Proxy.HoldAnswersFrom(OpCode.Multi);
            Task changing = change();
            await items.Changed.Within("the change is done at the server");
            Proxy.Cut();
            Proxy.Release();
            Proxy.Restore();
            await changing.Within("the change is known to be done");
        }
    }
}
