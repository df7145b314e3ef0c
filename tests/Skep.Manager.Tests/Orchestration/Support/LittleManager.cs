using Docker.Swarmkit.V1;
using Google.Protobuf.WellKnownTypes;
using Microsoft.Extensions.Time.Testing;
using Skep.Api;
using Skep.Manager.Loops;
using Skep.Manager.Orchestration;
using Skep.Manager.Scheduling;
using Skep.Store;

namespace Skep.Manager.Tests.Orchestration;

/// <summary>
/// A whole manager in one thread: a store in memory, the orchestration, and in the place of allocator, scheduler, dispatcher
/// and agents something simple that a test rules. Time goes in ticks of 100 ms, and a seed decides what chance decides.
/// </summary>
internal sealed partial class LittleManager
{
    public static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(100);

    private readonly List<(StoreWorker Worker, StoreSubscription Commits)> workers = [];
    private readonly StoreSubscription watched;
    private readonly Dictionary<string, (TaskState State, DateTimeOffset Since)> agents = new(StringComparer.Ordinal);
    private readonly Dictionary<string, DateTimeOffset> stopping = new(StringComparer.Ordinal);

    public LittleManager(int nodes = 3, int seed = 1)
    {
        Random = new(seed);
        Time = new(new(2026, 11, 23, 4, 0, 0, TimeSpan.Zero));
        Store = new(Time);
        watched = Store.Subscribe(1_000_000);
        Write(tx =>
        {
            tx.Create(new Cluster { Id = "cluster", Spec = new() { Annotations = new() { Name = "default" }, Orchestration = new() { TaskHistoryRetentionLimit = 5 } } });
            for (int i = 1; i <= nodes; i++)
            {
                tx.Create(NewNode($"n{i}"));
            }
        });
        StartManager();
    }

    public Random Random { get; }

    public FakeTimeProvider Time { get; }

    public ClusterStore Store { get; }

    /// <summary>What becomes of tasks; by default they all run.</summary>
    public Func<SwarmTask, Fate> FateOf { get; set; } = static _ => Fate.Runs;

    /// <summary>From ASSIGNED to READY.</summary>
    public TimeSpan PreparesFor { get; set; } = TimeSpan.FromSeconds(0.3);

    /// <summary>From the wish to stop to SHUTDOWN.</summary>
    public TimeSpan StopsFor { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Called with every commit, in order.</summary>
    public Action<StoreCommit>? OnCommit { get; set; }

    /// <summary>Called when nothing is left to do at a moment.</summary>
    public Action? OnQuiet { get; set; }

    /// <summary>How many transactions there have been.</summary>
    public ulong Transactions => Store.Version;

    public DateTimeOffset Now => Time.GetUtcNow();

    public static Node NewNode(string id) => new()
    {
        Id = id,
        Spec = new() { Annotations = new() { Name = id } },
        Status = new() { State = NodeStatus.Types.State.Ready, Addr = "10.0.0.1" },
        Description = new()
        {
            Hostname = id,
            Platform = new() { Os = "linux", Architecture = "x86_64" },
            Resources = new() { NanoCpus = 1_000_000_000_000, MemoryBytes = 1L << 40 },
            Engine = new() { EngineVersion = "20.10" },
        },
    };

    /// <summary>Another manager takes over, or this one starts again: all that is not in the store is forgotten.</summary>
    public void StartManager()
    {
        foreach ((_, StoreSubscription commits) in workers)
        {
            commits.Dispose();
        }
        workers.Clear();
        Start(new Orchestrator(Store, Time, () => Ids.New(Random)));
        Start(new TaskReaper(Store, Time));
        Start(new ConstraintEnforcer(Store, Time));
        Settle();
    }

    /// <summary>Lets time go by.</summary>
    public void Run(double seconds)
    {
        DateTimeOffset end = Now + TimeSpan.FromSeconds(seconds);
        while (Now < end)
        {
            Time.Advance(Tick);
            Place();
            Report();
            Settle();
        }
    }

    /// <summary>Lets time go by until something is so.</summary>
    public void RunUntil(Func<bool> so, string what, double withinSeconds = 60)
    {
        DateTimeOffset end = Now + TimeSpan.FromSeconds(withinSeconds);
        while (!so())
        {
            Assert.True(Now < end, $"not within {withinSeconds} s: {what}\n{Describe()}");
            Run(Tick.TotalSeconds);
        }
    }

    /// <summary>Lets the loops work until none has anything to do at this moment.</summary>
    public void Settle()
    {
        bool any = false;
        for (int round = 0; ; round++)
        {
            Assert.True(round < 1000, "the loops do not come to rest\n" + Describe());
            bool worked = false;
            foreach ((StoreWorker worker, StoreSubscription commits) in workers)
            {
                while (commits.Commits.TryRead(out StoreCommit? commit))
                {
                    worker.Observe(commit);
                    worked = true;
                }
                if (worker.NextWake <= Now)
                {
                    Wait(worker.StepAsync(CancellationToken.None));
                    worked = true;
                }
            }
            while (watched.Commits.TryRead(out StoreCommit? commit))
            {
                OnCommit?.Invoke(commit);
            }
            if (!worked)
            {
                break;
            }
            any = true;
        }
        if (any)
        {
            OnQuiet?.Invoke();
        }
    }

    public void Write(Action<WriteTransaction> change)
    {
        Wait(Store.UpdateAsync(change));
        Settle();
    }

    public string Describe() => string.Join('\n', Store.Read(static v => v.List<Service>().Select(static s => $"{s.Id}: {s.UpdateStatus}")
        .Concat(v.List<SwarmTask>().OrderBy(static t => t.ServiceId).ThenBy(static t => t.Slot).ThenBy(static t => t.CreatedAt())
        .Select(static t => $"{t.CreatedAt():mm:ss.f} {t.ServiceId}.{t.Slot} {t.Id[..6]} {t.Spec?.Container?.Image} desired {t.DesiredState} observed {t.Observed()} on {t.NodeId}"))
        .ToList()));

    private static void Wait(Task task)
    {
        Assert.True(task.IsCompleted, "a store in memory answers at once");
        task.GetAwaiter().GetResult();
    }

    private void Start(StoreWorker worker)
    {
        (_, StoreSubscription commits) = Store.ReadAndSubscribe(view =>
        {
            worker.Load(view);
            return 0;
        }, 1_000_000);
        workers.Add((worker, commits));
    }

    // Allocator and scheduler: everything new is given to the feasible node with the fewest tasks.
    private void Place()
    {
        if (!Store.Read(static v => v.List<SwarmTask>().Any(static t => t.IsWanted() && t.Observed() <= TaskState.Pending)))
        {
            return;
        }
        Wait(Store.UpdateAsync(static tx =>
        {
            int changes = 0;
            foreach (SwarmTask task in tx.List<SwarmTask>().Where(static t => t.IsWanted() && t.Observed() <= TaskState.Pending).ToList())
            {
                if (++changes > ClusterStore.MaxChanges)
                {
                    break;
                }
                TaskRequirements needs = TaskRequirements.Of(task);
                Node? node = task.NodeId.Length > 0
                    ? tx.Get<Node>(task.NodeId)
                    : tx.List<Node>().OrderBy(n => tx.TasksByNode(n.Id).Count(static t => t.IsWanted())).ThenBy(static n => n.Id, StringComparer.Ordinal)
                        .FirstOrDefault(n => Feasibility.Fits(needs, new NodeState(n), FeasibilityFilters.Ready | FeasibilityFilters.Constraints));
                if (node is null || !Feasibility.IsReady(node))
                {
                    continue;
                }
                SwarmTask placed = task.Clone();
                placed.NodeId = node.Id;
                placed.Status.State = TaskState.Assigned;
                tx.Update(placed);
            }
        }));
    }

    // The agents of all nodes that can be reached.
    private void Report()
    {
        var reports = new List<(string Id, TaskState State)>();
        foreach (SwarmTask task in Store.Read(static v => v.List<SwarmTask>().Where(static t => t.Observed() is >= TaskState.Assigned and <= TaskState.Running).ToList()))
        {
            if (Store.Read(v => v.Get<Node>(task.NodeId)) is { Status.State: NodeStatus.Types.State.Ready } && Next(task) is { } next)
            {
                reports.Add((task.Id, next));
            }
        }
        Wait(Store.BatchAsync(reports, (tx, report) =>
        {
            if (tx.Get<SwarmTask>(report.Id) is { } task && task.Observed() < report.State)
            {
                task = task.Clone();
                Timestamp now = Timestamp.FromDateTimeOffset(Now);
                task.Status = new() { State = report.State, Timestamp = now, AppliedAt = now };
                tx.Update(task);
            }
        }));
    }

    private TaskState? Next(SwarmTask task)
    {
        TaskState state = task.Observed();
        if (!agents.TryGetValue(task.Id, out var seen) || seen.State != state)
        {
            agents[task.Id] = seen = (state, Now);
        }
        if (!task.IsWanted())
        {
            stopping.TryAdd(task.Id, Now);
            return Now - stopping[task.Id] >= StopsFor ? TaskState.Shutdown : null;
        }
        Fate fate = FateOf(task);
        return state switch
        {
            TaskState.Assigned when Now - seen.Since < PreparesFor => null,
            TaskState.Assigned => fate.Kind == FateKind.Rejected ? TaskState.Rejected : TaskState.Ready,
            TaskState.Ready => task.DesiredState >= TaskState.Running ? TaskState.Running : null,
            TaskState.Running when Now - seen.Since < fate.After => null,
            TaskState.Running => fate.Kind switch
            {
                FateKind.Fails => TaskState.Failed,
                FateKind.Completes => TaskState.Complete,
                _ => null,
            },
            _ => null,
        };
    }
}
