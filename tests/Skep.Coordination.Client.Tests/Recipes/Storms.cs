using System.Collections.Concurrent;
using Skep.Coordination.Client.Recipes;
using Skep.Coordination.Client.Tests.Infrastructure;
using Skep.Jute;

namespace Skep.Coordination.Client.Tests.Recipes;

/// <summary>Recipes while connections are cut all the time.</summary>
public sealed class Storms(ServerFixture fixture) : ServerTest(fixture)
{
    private const int Items = 60;

    [Fact]
    public async Task Every_item_comes_out_once_and_one_holds_the_lock_at_a_time()
    {
        CoordinationClient[] clients = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => ConnectByProxyAsync(o => o with { SessionTimeoutMs = 30_000 })));
        var taken = new ConcurrentBag<string>();
        var tokens = new List<long>();
        int holders = 0;
        Task work = Task.WhenAll(
            PutAsync(new DistributedQueue(clients[0], "/queue")),
            TakeAsync(new DistributedQueue(clients[1], "/queue"), Items / 2),
            TakeAsync(new DistributedQueue(clients[2], "/queue"), Items - (Items / 2)),
            HoldAsync(clients[1]),
            HoldAsync(clients[2]));

        var random = new Random(1);
        int cuts = 0;
        while (!work.IsCompleted && cuts < 30)
        {
            // The storm's own rhythm: nothing is waited for.
            await Task.WhenAny(work, Task.Delay(random.Next(20, 120)));
            Proxy.Cut();
            Proxy.Restore();
            cuts++;
        }
        await work.Within($"the work is done after {cuts} cuts");

        Assert.Equal(Enumerable.Range(0, Items).Select(i => $"{i}").Order(), taken.Order());
        Assert.Equal(0, await new DistributedQueue(clients[0], "/queue").CountAsync());
        Assert.Equal(tokens.Order(), tokens);
        CoordinationClient other = await ConnectAsync();
        while (true)
        {
            using Watched<NodeChildren> line = await other.GetChildrenAndWatchAsync("/lock");
            if (line.Value.Children.Count == 0)
            {
                break;
            }
            await line.Changed.Within("no node is left behind");
        }

        async Task PutAsync(DistributedQueue queue)
        {
            for (int i = 0; i < Items; i++)
            {
                await queue.EnqueueAsync(Bytes($"{i}"));
            }
        }

        async Task TakeAsync(DistributedQueue queue, int count)
        {
            for (int i = 0; i < count; i++)
            {
                taken.Add(Text(await queue.DequeueAsync()));
            }
        }

        async Task HoldAsync(CoordinationClient client)
        {
            for (int i = 0; i < 15; i++)
            {
                await using LockHandle held = await new DistributedLock(client, "/lock").AcquireAsync();
                Assert.Equal(1, Interlocked.Increment(ref holders));
                tokens.Add(held.FencingToken);
                await client.SyncAsync("/");
                Interlocked.Decrement(ref holders);
            }
        }
    }
}
