using Docker.Swarmkit.V1;

namespace Skep.Manager.Orchestration;

/// <summary>Which tasks of a slot are history that is kept, and which go. Pure.</summary>
internal static class TaskHistory
{
    /// <summary>How many tasks of a slot are kept where the cluster does not say.</summary>
    public const long DefaultRetention = 5;

    /// <summary>How many tasks of a slot the cluster keeps, the one that runs included; below zero for all.</summary>
    public static long RetentionOf(Cluster? cluster) =>
        cluster?.Spec?.Orchestration?.TaskHistoryRetentionLimit ?? DefaultRetention;

    /// <summary>Picks the tasks of one slot that go.</summary>
    /// <param name="service">Their service, or null when it is gone.</param>
    /// <param name="tasks">Every task of the slot.</param>
    /// <param name="nodeOf">Gives a node, or null.</param>
    /// <param name="retention">How many are kept; below zero for all.</param>
    /// <param name="reaped">Takes the ids.</param>
    public static void Reap(Service? service, List<SwarmTask> tasks, Func<string, Node?> nodeOf, long retention, ISet<string> reaped)
    {
        int left = tasks.Count;
        foreach (SwarmTask task in tasks)
        {
            if (IsRemovable(task, nodeOf(task.NodeId)) && reaped.Add(task.Id))
            {
                left--;
            }
        }
        if (service is null || retention < 0 || left <= retention)
        {
            return;
        }
        tasks.Sort(static (a, b) => a.CreatedAt() != b.CreatedAt() ? a.CreatedAt().CompareTo(b.CreatedAt()) : string.CompareOrdinal(a.Id, b.Id));
        // The newest tells how the slot stands, e.g. that its policy gives it no other task, so it stays whatever the limit.
        for (int i = 0; i < tasks.Count - 1 && left > retention; i++)
        {
            if (IsHistory(service, tasks[i], nodeOf) && reaped.Add(tasks[i].Id))
            {
                left--;
            }
        }
    }

    /// <summary>
    /// Whether a task that is to be removed can be: it was never given to an agent, has stopped, or its node is gone. A task
    /// without service goes once its node has been away for so long that it counts as orphaned.
    /// </summary>
    public static bool IsRemovable(SwarmTask task, Node? node)
    {
        if (task.ServiceId.Length == 0)
        {
            return task.Observed() == TaskState.Orphaned || (task.DesiredState == TaskState.Remove && HasStopped(task, node));
        }
        return task.DesiredState == TaskState.Remove && HasStopped(task, node);
    }

    private static bool HasStopped(SwarmTask task, Node? node) =>
        task.Observed() is < TaskState.Assigned or >= TaskState.Complete || node is null;

    // A job's complete tasks are what tells that it is done; those of earlier iterations are history.
    private static bool IsHistory(Service service, SwarmTask task, Func<string, Node?> nodeOf)
    {
        bool isJob = service.Spec?.ModeCase is ServiceSpec.ModeOneofCase.ReplicatedJob or ServiceSpec.ModeOneofCase.GlobalJob;
        bool over = isJob && JobTasks.IterationOf(task) != NewTask.JobIterationOf(service) && task.HasEnded();
        return over || (!task.IsWanted() && (HasStopped(task, task.NodeId.Length == 0 ? null : nodeOf(task.NodeId))));
    }
}
