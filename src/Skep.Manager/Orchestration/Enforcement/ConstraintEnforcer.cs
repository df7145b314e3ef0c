using Docker.Swarmkit.V1;
using Google.Protobuf.WellKnownTypes;
using Skep.Manager.Loops;
using Skep.Manager.Scheduling;
using Skep.Store;

namespace Skep.Manager.Orchestration;

/// <summary>
/// Rejects tasks whose node no longer meets their constraints or has room for their reservations. Here the manager writes the
/// observed state, as SwarmKit's does: moving the desired one would keep the orchestrator from putting the task elsewhere.
/// </summary>
internal sealed class ConstraintEnforcer(ClusterStore store, TimeProvider time) : StoreWorker
{
    private readonly HashSet<string> dirtyNodes = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public override DateTimeOffset? NextWake => dirtyNodes.Count > 0 ? DateTimeOffset.MinValue : null;

    /// <inheritdoc/>
    public override void Load(IStoreView view)
    {
        dirtyNodes.Clear();
        dirtyNodes.UnionWith(view.List<Node>().Select(static n => n.Id));
    }

    /// <inheritdoc/>
    public override void Observe(StoreCommit commit)
    {
        foreach (StoreChange change in commit.Changes)
        {
            if (change.Object is Node node && change.Kind == StoreChangeKind.Update && NodeChanges.Matter(change.Kind, node, change.Old as Node))
            {
                dirtyNodes.Add(node.Id);
            }
        }
    }

    /// <inheritdoc/>
    public override async Task StepAsync(CancellationToken ct)
    {
        if (dirtyNodes.Count == 0)
        {
            return;
        }
        var nodes = store.Read(view => dirtyNodes
            .Select(view.Get<Node>)
            .Where(static n => n is not null && NodeEligibility.TakesNew(n))
            .Select(n => (Node: n!, Tasks: (List<SwarmTask>)[.. view.TasksByNode(n!.Id)]))
            .ToList());
        dirtyNodes.Clear();
        List<string> rejected = [.. nodes.SelectMany(static n => Feasibility.NoLongerFitting(n.Node, n.Tasks.Where(IsEnforced).OrderBy(TaskFacts.CreatedAt)).Select(static t => t.Id))];
        await store.BatchAsync(rejected, Reject, ct).ConfigureAwait(false);
    }

    // A task that is not placed yet is checked by the scheduler, one that has ended by nobody.
    private static bool IsEnforced(SwarmTask task) =>
        task.IsWanted() && task.DesiredState >= TaskState.Assigned && task.Observed() is >= TaskState.Assigned and <= TaskState.Running;

    private void Reject(WriteTransaction tx, string taskId)
    {
        if (tx.Get<SwarmTask>(taskId) is not { } task || !IsEnforced(task))
        {
            return;
        }
        task = task.Clone();
        Timestamp now = Timestamp.FromDateTimeOffset(time.GetUtcNow());
        task.Status.State = TaskState.Rejected;
        task.Status.Message = "task rejected by constraint enforcer";
        task.Status.Err = "assigned node no longer meets constraints";
        task.Status.Timestamp = now;
        task.Status.AppliedAt = now;
        tx.Update(task);
    }
}
