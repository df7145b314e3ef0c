using Docker.Swarmkit.V1;
using Microsoft.Extensions.Logging.Abstractions;
using Skep.Manager.Dispatch.Writing;
using Skep.Manager.Tests.Support;
using Skep.Store;

namespace Skep.Manager.Tests.Dispatch;

public sealed class WriteQueueTests
{
    [Fact]
    public async Task One_bad_write_does_not_take_the_others_with_it()
    {
        using var store = new ClusterStore(TimeProvider.System);
        var queue = new WriteQueue(store, 100, NullLogger.Instance);
        Task good = queue.WriteAsync([tx => tx.Create(new Node { Id = "a" })], default);
        Task bad = queue.WriteAsync([_ => throw new InvalidOperationException("bad")], default);
        Task late = queue.WriteAsync([tx => tx.Create(new Node { Id = "b" })], default);
        using var stop = new CancellationTokenSource();
        Task running = queue.RunAsync(stop.Token);

        await good.Within("the good write");
        await late.Within("the write after the bad one");
        await Assert.ThrowsAsync<InvalidOperationException>(() => bad.Within("the bad write"));
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running.Within("the queue stops"));
    }

    [Fact]
    public async Task A_write_that_is_not_made_is_refused_not_forgotten()
    {
        using var store = new ClusterStore(TimeProvider.System);
        var queue = new WriteQueue(store, 100, NullLogger.Instance);
        Task waiting = queue.WriteAsync([tx => tx.Create(new Node { Id = "a" })], default);
        queue.RefuseAll();
        Assert.Equal(StoreErrorKind.Stopped, (await Assert.ThrowsAsync<StoreException>(() => waiting.Within("the refusal"))).Kind);
    }
}
