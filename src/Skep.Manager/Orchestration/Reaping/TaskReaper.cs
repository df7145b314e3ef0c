using Docker.Swarmkit.V1;
using Skep.Manager.Loops;
using Skep.Store;

namespace Skep.Manager.Orchestration;

/// <summary>
/// Takes tasks out of the store: those to be removed as soon as they have stopped, and the oldest of each slot beyond the
/// history the cluster keeps (facts: moby/swarmkit manager/orchestrator/taskreaper).
/// </summary>
internal sealed class TaskReaper(ClusterStore store, TimeProvider time) : StoreWorker
{
    /// <summary>How many places with something to look at are gathered before they are looked at at once.</summary>
    public const int MaxDirty = 1000;

    /// <summary>How long they are gathered otherwise.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(250);

    private readonly HashSet<Place> dirty = [];
    private DateTimeOffset? dirtySince;
    private bool everything;

    /// <inheritdoc/>
    public override DateTimeOffset? NextWake =>
        everything || dirty.Count >= MaxDirty ? DateTimeOffset.MinValue : dirtySince + Interval;

    /// <inheritdoc/>
    public override void Load(IStoreView view)
    {
        dirty.Clear();
        dirtySince = null;
        everything = true;
    }

    /// <inheritdoc/>
    public override void Observe(StoreCommit commit)
    {
        foreach (StoreChange change in commit.Changes)
        {
            switch (change.Object)
            {
                case SwarmTask task when change.Kind == StoreChangeKind.Create || (change.Kind == StoreChangeKind.Update && IsOnItsWayOut(task)):
                    dirty.Add(new(task.ServiceId, task.Slot, task.NodeId, task.ServiceId.Length == 0 ? task.Id : ""));
                    break;
                case Node when change.Kind == StoreChangeKind.Remove:
                case Cluster cluster when change.Kind == StoreChangeKind.Update && !Equals(cluster.Spec?.Orchestration, (change.Old as Cluster)?.Spec?.Orchestration):
                    everything = true;
                    break;
            }
        }
        if (dirty.Count > 0)
        {
            dirtySince ??= time.GetUtcNow();
        }
    }

    /// <inheritdoc/>
    public override async Task StepAsync(CancellationToken ct)
    {
        if (NextWake is not { } wake || wake > time.GetUtcNow())
        {
            return;
        }
        List<string> reaped = store.Read(Choose);
        dirty.Clear();
        dirtySince = null;
        everything = false;
        await store.BatchAsync(reaped, Remove, ct).ConfigureAwait(false);
    }

    private static bool IsOnItsWayOut(SwarmTask task) => !task.IsWanted() || task.HasEnded();

    private List<string> Choose(IStoreView view)
    {
        if (everything)
        {
            foreach (SwarmTask task in view.List<SwarmTask>())
            {
                dirty.Add(new(task.ServiceId, task.Slot, task.NodeId, task.ServiceId.Length == 0 ? task.Id : ""));
            }
        }
        long retention = TaskHistory.RetentionOf(view.List<Cluster>().FirstOrDefault());
        var reaped = new HashSet<string>(StringComparer.Ordinal);
        var seen = new HashSet<Place>();
        foreach (Place place in dirty)
        {
            if (place.TaskId.Length > 0)
            {
                if (view.Get<SwarmTask>(place.TaskId) is { } single && TaskHistory.IsRemovable(single, view.Get<Node>(single.NodeId)))
                {
                    reaped.Add(single.Id);
                }
                continue;
            }
            Service? service = view.Get<Service>(place.ServiceId);
            bool global = service?.Spec?.ModeCase is ServiceSpec.ModeOneofCase.Global or ServiceSpec.ModeOneofCase.GlobalJob;
            if (seen.Add(global ? place with { Slot = 0 } : place with { NodeId = "" }))
            {
                IEnumerable<SwarmTask> tasks = global
                    ? view.TasksByNode(place.NodeId).Where(t => t.ServiceId == place.ServiceId)
                    : view.TasksBySlot(place.ServiceId, place.Slot);
                TaskHistory.Reap(service, [.. tasks], view.Get<Node>, retention, reaped);
            }
        }
        return [.. reaped];
    }

    // A task may have been given to an agent since it was chosen; then it stays until that has stopped it.
    private static void Remove(WriteTransaction tx, string taskId)
    {
        if (tx.Get<SwarmTask>(taskId) is { } task && TaskFacts.IsOutOfTheWay(task, task.NodeId.Length == 0 ? null : tx.Get<Node>(task.NodeId)))
        {
            tx.Remove<SwarmTask>(taskId);
        }
    }

    // Where a task is or was: a slot, a node of a global service, or for a task without service the task itself.
    private readonly record struct Place(string ServiceId, ulong Slot, string NodeId, string TaskId);
}
