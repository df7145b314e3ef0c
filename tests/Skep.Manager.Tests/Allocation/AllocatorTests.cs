using Docker.Swarmkit.V1;
using Microsoft.Extensions.Logging.Abstractions;
using Skep.Manager.Allocation;
using Skep.Store;

namespace Skep.Manager.Tests.Allocation;

public sealed class AllocatorTests
{
    [Fact]
    public async Task Tasks_are_taken_on_at_the_start_and_as_they_come()
    {
        using var store = new ClusterStore(TimeProvider.System);
        await using var allocator = new Allocator(store, TimeProvider.System, NullLogger<Allocator>.Instance);
        using StoreSubscription watch = store.Subscribe();
        CancellationToken ct = TestContext.Current.CancellationToken;
        await store.UpdateAsync(tx => tx.Create(Scheduling.A.Task("t1", "", state: TaskState.New)), ct);
        allocator.Start();
        await PendingAsync(watch, "t1");

        await store.UpdateAsync(tx => tx.Create(Scheduling.A.Task("t2", "", state: TaskState.New)), ct);

        await PendingAsync(watch, "t2");
    }

    private static async Task PendingAsync(StoreSubscription watch, string taskId)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        try
        {
            await foreach (StoreCommit commit in watch.Commits.ReadAllAsync(patience.Token))
            {
                if (commit.Changes.Any(c => c.Object is SwarmTask t && t.Id == taskId && t.Status.State == TaskState.Pending))
                {
                    return;
                }
            }
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"timed out while waiting for {taskId} to become PENDING");
        }
    }
}
