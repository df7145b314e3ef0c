using Docker.Swarmkit.V1;
using Google.Protobuf.WellKnownTypes;
using Microsoft.Extensions.Logging.Abstractions;
using Skep.Manager.Allocation;
using Skep.Manager.Loops;
using Skep.Manager.Orchestration;
using Skep.Manager.Scheduling;
using Skep.Store;

namespace Skep.Manager.Tests.Orchestration;

/// <summary>Orchestrator, allocator and scheduler as they are, on the system's clock; only the agents are played.</summary>
public sealed class WholeChainTests : IAsyncDisposable
{
    private readonly ClusterStore store = new(TimeProvider.System);
    private readonly List<ManagerLoop> loops;
    private readonly CancellationTokenSource over = new(TimeSpan.FromSeconds(120));
    private readonly Task agents;

    public WholeChainTests()
    {
        loops =
        [
            new Allocator(store, TimeProvider.System, NullLogger<Allocator>.Instance),
            new Scheduler(store, TimeProvider.System, NullLogger<Scheduler>.Instance),
            .. OrchestrationLoops.All(store, TimeProvider.System, NullLoggerFactory.Instance),
        ];
        foreach (ManagerLoop loop in loops)
        {
            loop.Start();
        }
        agents = Task.Run(PlayAgentsAsync);
    }

    [Fact]
    public async Task A_thousand_tasks_come_to_run_are_updated_at_once_and_go()
    {
        await store.UpdateAsync(static tx =>
        {
            for (int i = 1; i <= 3; i++)
            {
                tx.Create(LittleManager.NewNode($"n{i}"));
            }
            tx.Create(new Service
            {
                Id = "web",
                SpecVersion = new(),
                Spec = new()
                {
                    Annotations = new() { Name = "web" },
                    Task = new() { Container = new() { Image = "redis:1" } },
                    Replicated = new() { Replicas = 1 },
                    Update = new() { Monitor = Duration.FromTimeSpan(TimeSpan.FromSeconds(1)) },
                    Endpoint = new() { Ports = { new PortConfig { TargetPort = 80, PublishMode = PortConfig.Types.PublishMode.Host } } },
                },
            });
        });
        await Until("the first task runs", v => Running(v, "redis:1") == 1);

        await Update(static s => s.Replicated.Replicas = 1000);
        await Until("a thousand tasks run", v => Running(v, "redis:1") == 1000);
        Assert.Null(store.Read(static v => v.Get<Service>("web"))!.UpdateStatus);

        await Update(static s => s.Task.Container.Image = "redis:2");
        await Until("the update is complete", static v => v.Get<Service>("web")!.UpdateStatus?.State == UpdateStatus.Types.UpdateState.Completed);
        Assert.Equal(1000, store.Read(v => Running(v, "redis:2")));
        Assert.Equal(2000, store.Read(static v => v.Count<SwarmTask>()));

        await store.UpdateAsync(static tx => tx.Remove<Service>("web"));
        await Until("all tasks are gone", static v => v.Count<SwarmTask>() == 0);
    }

    public async ValueTask DisposeAsync()
    {
        await over.CancelAsync();
        await agents;
        foreach (ManagerLoop loop in loops)
        {
            await loop.DisposeAsync();
        }
        over.Dispose();
    }

    private static int Running(IStoreView view, string image) =>
        view.TasksByService("web").Count(t => t.IsWanted() && t.Observed() == TaskState.Running && t.Spec.Container.Image == image);

    private Task<ulong> Update(Action<ServiceSpec> change) => store.UpdateAsync(tx =>
    {
        Service service = tx.Get<Service>("web")!.Clone();
        service.PreviousSpec = service.Spec.Clone();
        service.PreviousSpecVersion = service.SpecVersion;
        change(service.Spec);
        service.SpecVersion = service.Meta.Version.Clone();
        service.UpdateStatus = null;
        tx.Update(service);
    });

    private async Task Until(string phase, Func<IStoreView, bool> so)
    {
        using StoreSubscription commits = store.Subscribe(100_000);
        while (!store.Read(so))
        {
            try
            {
                await commits.Commits.ReadAsync(over.Token);
            }
            catch (OperationCanceledException)
            {
                Assert.Fail("timed out: " + phase);
            }
        }
    }

    // Every task does at once what is wanted of it.
    private async Task PlayAgentsAsync()
    {
        using StoreSubscription commits = store.Subscribe(100_000);
        try
        {
            while (await commits.Commits.WaitToReadAsync(over.Token))
            {
                var changed = new HashSet<string>(StringComparer.Ordinal);
                while (commits.Commits.TryRead(out StoreCommit? commit))
                {
                    changed.UnionWith(commit.Changes.Select(static c => c.Object).OfType<SwarmTask>().Where(static t => Next(t) is not null).Select(static t => t.Id));
                }
                await store.BatchAsync(changed, static (tx, id) =>
                {
                    if (tx.Get<SwarmTask>(id) is { } task && Next(task) is { } next)
                    {
                        task = task.Clone();
                        task.Status.State = next;
                        tx.Update(task);
                    }
                });
            }
        }
        catch (OperationCanceledException)
        {
        }
    }

    private static TaskState? Next(SwarmTask task) => task.Observed() switch
    {
        < TaskState.Assigned or > TaskState.Running => null,
        _ when !task.IsWanted() => TaskState.Shutdown,
        TaskState.Assigned => TaskState.Ready,
        TaskState.Ready when task.DesiredState >= TaskState.Running => TaskState.Running,
        _ => null,
    };
}
