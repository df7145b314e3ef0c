using Docker.Swarmkit.V1;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Skep.Manager.Scheduling;
using Skep.Store;

namespace Skep.Manager.Tests.Scheduling;

public sealed class SchedulerTests : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private readonly FakeTimeProvider time = new();
    private readonly ClusterStore store;
    private readonly Scheduler scheduler;
    private readonly StoreSubscription watch;

    public SchedulerTests()
    {
        store = new(time);
        scheduler = new(store, time, NullLogger<Scheduler>.Instance);
        watch = store.Subscribe();
    }

    [Fact]
    public async Task Tasks_there_at_the_start_are_placed_at_once()
    {
        await HaveAsync(A.Node("a"));
        await HaveAsync(A.Task("t"));

        scheduler.Start();

        Assert.Equal("a", (await SeenAsync(t => t.Status.State == TaskState.Assigned, "placing")).NodeId);
    }

    [Fact]
    public async Task A_new_task_is_placed_when_it_has_been_quiet_for_50_ms()
    {
        await HaveAsync(A.Node("a"));
        await HaveAsync(A.Task("t1"));
        scheduler.Start();
        await SeenAsync(t => t.Id == "t1" && t.Status.State == TaskState.Assigned, "the first round");

        await HaveAsync(A.Task("t2"));

        Assert.Equal("a", (await SeenAsync(t => t.Id == "t2" && t.Status.State == TaskState.Assigned, "the second round")).NodeId);
    }

    [Fact]
    public async Task A_task_without_place_says_why_and_goes_to_a_node_that_joins()
    {
        await HaveAsync(A.Task("t"));
        scheduler.Start();
        SwarmTask waiting = await SeenAsync(t => t.Status.Err.Length > 0, "explaining");
        Assert.Equal("no suitable node", waiting.Status.Err);
        Assert.Equal(TaskState.Pending, waiting.Status.State);

        await HaveAsync(A.Node("a"));

        SwarmTask placed = await SeenAsync(t => t.Status.State == TaskState.Assigned, "placing");
        Assert.Equal("a", placed.NodeId);
        Assert.Equal("", placed.Status.Err);
    }

    [Fact]
    public void Many_changes_wait_no_longer_than_a_second()
    {
        var debounce = new Debounce(time);
        TimeSpan waited = TimeSpan.Zero;
        debounce.Touch();
        while (debounce.Left > TimeSpan.Zero)
        {
            time.Advance(TimeSpan.FromMilliseconds(40));
            waited += TimeSpan.FromMilliseconds(40);
            debounce.Touch();
        }

        Assert.Equal(Debounce.LongestWait, waited);
    }

    public async ValueTask DisposeAsync()
    {
        await scheduler.DisposeAsync();
        watch.Dispose();
        store.Dispose();
    }

    private Task<ulong> HaveAsync(Node node) => store.UpdateAsync(tx => tx.Create(node));

    private Task<ulong> HaveAsync(SwarmTask task) => store.UpdateAsync(tx => tx.Create(task));

    // Reads what is written, and lets the clock run while nothing is.
    private async Task<SwarmTask> SeenAsync(Func<SwarmTask, bool> wanted, string phase)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (true)
        {
            while (watch.Commits.TryRead(out StoreCommit? commit))
            {
                foreach (StoreChange change in commit.Changes)
                {
                    if (change.Object is SwarmTask task && wanted(task))
                    {
                        return task;
                    }
                }
            }
            Assert.False(patience.IsCancellationRequested, $"timed out while waiting for {phase}");
            time.Advance(TimeSpan.FromMilliseconds(10));
            await Task.Yield();
        }
    }
}
