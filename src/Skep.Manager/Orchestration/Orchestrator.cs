using Docker.Swarmkit.V1;
using Skep.Manager.Loops;
using Skep.Store;

namespace Skep.Manager.Orchestration;

/// <summary>
/// Makes the tasks of every service what its spec says. It only notes which services something happened to; what is to be done
/// about one is decided anew from everything the store says of it, so a commit that came twice or late, or another leader in
/// between, changes nothing.
/// </summary>
internal sealed class Orchestrator(ClusterStore store, TimeProvider time, Func<string> newId) : StoreWorker
{
    private readonly Dictionary<string, ServiceMemory> memories = new(StringComparer.Ordinal);
    private readonly Dictionary<string, DateTimeOffset> wakes = new(StringComparer.Ordinal);
    private readonly HashSet<string> dirtyServices = new(StringComparer.Ordinal);
    private readonly HashSet<string> dirtyNodes = new(StringComparer.Ordinal);
    private readonly HashSet<string> globalServices = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public override DateTimeOffset? NextWake =>
        dirtyServices.Count > 0 || dirtyNodes.Count > 0 ? DateTimeOffset.MinValue
        : wakes.Count > 0 ? wakes.Values.Min()
        : null;

    /// <inheritdoc/>
    public override void Load(IStoreView view)
    {
        memories.Clear();
        wakes.Clear();
        dirtyServices.Clear();
        dirtyNodes.Clear();
        globalServices.Clear();
        foreach (Service service in view.List<Service>())
        {
            Note(service);
        }
        foreach (SwarmTask task in view.List<SwarmTask>())
        {
            // Tasks of a service that was removed while nobody led.
            if (task.ServiceId.Length > 0)
            {
                dirtyServices.Add(task.ServiceId);
            }
        }
    }

    /// <inheritdoc/>
    public override void Observe(StoreCommit commit)
    {
        foreach (StoreChange change in commit.Changes)
        {
            switch (change.Object)
            {
                case SwarmTask { ServiceId.Length: > 0 } task when Matters(change.Kind, task, change.Old as SwarmTask):
                    dirtyServices.Add(task.ServiceId);
                    break;
                case Service service when change.Kind == StoreChangeKind.Remove:
                    globalServices.Remove(service.Id);
                    dirtyServices.Add(service.Id);
                    break;
                case Service service:
                    Note(service);
                    break;
                case Node node when NodeChanges.Matter(change.Kind, node, change.Old as Node):
                    dirtyNodes.Add(node.Id);
                    break;
            }
        }
    }

    /// <inheritdoc/>
    public override async Task StepAsync(CancellationToken ct)
    {
        DateTimeOffset now = time.GetUtcNow();
        foreach ((string id, DateTimeOffset wake) in wakes)
        {
            if (wake <= now)
            {
                dirtyServices.Add(id);
            }
        }
        if (dirtyServices.Count == 0 && dirtyNodes.Count == 0)
        {
            return;
        }
        List<ServiceSnapshot> snapshots = store.Read(Snapshots);
        dirtyServices.Clear();
        dirtyNodes.Clear();
        var steps = new List<PlanStep>();
        foreach (ServiceSnapshot snapshot in snapshots)
        {
            Plan(snapshot, now, steps);
        }
        await store.BatchAsync(steps, (tx, step) => PlanWriter.Write(tx, step, time.GetUtcNow()), ct).ConfigureAwait(false);
    }

    // Not every report of an agent calls for a decision: those on the way to RUNNING do not.
    private static bool Matters(StoreChangeKind kind, SwarmTask task, SwarmTask? old) =>
        kind != StoreChangeKind.Update
        || old is null
        || task.Observed() >= TaskState.Running
        || task.NodeId != old.NodeId
        || task.DesiredState != old.DesiredState;

    private List<ServiceSnapshot> Snapshots(IStoreView view)
    {
        foreach (string nodeId in dirtyNodes)
        {
            foreach (SwarmTask task in view.TasksByNode(nodeId))
            {
                if (task.ServiceId.Length > 0)
                {
                    dirtyServices.Add(task.ServiceId);
                }
            }
        }
        if (dirtyNodes.Count > 0)
        {
            dirtyServices.UnionWith(globalServices);
        }
        Cluster? cluster = view.List<Cluster>().FirstOrDefault();
        return [.. dirtyServices.Order(StringComparer.Ordinal).Select(id => ServiceSnapshot.Of(id, view, cluster))];
    }

    private void Plan(ServiceSnapshot snapshot, DateTimeOffset now, List<PlanStep> steps)
    {
        string id = snapshot.ServiceId;
        if (!memories.TryGetValue(id, out ServiceMemory? memory))
        {
            memories[id] = memory = new();
        }
        ServicePlan plan = ServicePlanner.Plan(snapshot, memory, now, newId);
        steps.AddRange(plan.Steps);
        wakes.Remove(id);
        if (plan.WakeAt is { } wake)
        {
            wakes[id] = wake;
        }
        if (snapshot is { Service: null, Tasks.Count: 0 })
        {
            memories.Remove(id);
        }
    }

    private void Note(Service service)
    {
        dirtyServices.Add(service.Id);
        if (service.Spec?.ModeCase is ServiceSpec.ModeOneofCase.Global or ServiceSpec.ModeOneofCase.GlobalJob)
        {
            globalServices.Add(service.Id);
        }
        else
        {
            globalServices.Remove(service.Id);
        }
    }
}
