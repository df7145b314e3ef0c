using Docker.Swarmkit.V1;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Skep.Manager.Loops;
using Skep.Manager.Orchestration;
using Skep.Store;

namespace Skep.Manager.Tests.Orchestration;

public sealed class OrchestrationLoopTests
{
    private readonly FakeTimeProvider time = new(new(2026, 11, 23, 4, 0, 0, TimeSpan.Zero));
    private readonly ClusterStore store;

    public OrchestrationLoopTests() => store = new(time);

    [Fact]
    public async Task Running_loops_make_tasks_replace_them_and_clear_them_away()
    {
        IReadOnlyList<ManagerLoop> loops = OrchestrationLoops.All(store, time, NullLoggerFactory.Instance);
        foreach (ManagerLoop loop in loops)
        {
            loop.Start();
        }
        await store.UpdateAsync(static tx => tx.Create(new Service
        {
            Id = "web",
            Spec = new() { Annotations = new() { Name = "web" }, Task = new() { Container = new() { Image = "redis:1" } }, Replicated = new() { Replicas = 2 } },
        }));
        await Until("two tasks are made", static tasks => tasks.Count == 2);

        await store.UpdateAsync(static tx =>
        {
            SwarmTask task = tx.TasksBySlot("web", 1).Single().Clone();
            task.Status.State = TaskState.Failed;
            tx.Update(task);
        });
        await Until("the failed one has a successor", static tasks => tasks.Count == 3);
        await Until("it is started after five seconds", static tasks => tasks.TrueForAll(static t => t.DesiredState != TaskState.Ready), advance: true);

        await store.UpdateAsync(static tx => tx.Remove<Service>("web"));
        await Until("all tasks are gone", static tasks => tasks.Count == 0, advance: true);
        foreach (ManagerLoop loop in loops)
        {
            await loop.StopAsync();
        }
    }

    private async Task Until(string phase, Func<List<SwarmTask>, bool> so, bool advance = false)
    {
        using StoreSubscription commits = store.Subscribe();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!so(store.Read(static v => v.List<SwarmTask>().ToList())))
        {
            if (advance)
            {
                // Loops wait on this clock; each turn lets them see some of it pass.
                time.Advance(TimeSpan.FromMilliseconds(50));
                await Task.Yield();
                Assert.False(patience.IsCancellationRequested, "timed out: " + phase);
                continue;
            }
            try
            {
                await commits.Commits.ReadAsync(patience.Token);
            }
            catch (OperationCanceledException)
            {
                Assert.Fail("timed out: " + phase);
            }
        }
    }
}
