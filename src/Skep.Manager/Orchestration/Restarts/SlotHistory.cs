using Docker.Swarmkit.V1;
using Skep.Api;

namespace Skep.Manager.Orchestration;

/// <summary>
/// How a slot's tasks of the current spec have ended: how many were restarted and when, for the bound of attempts, and how
/// many failed quickly one after another, for the delay.
/// </summary>
/// <remarks>
/// SwarmKit waits the same delay every time. Here the delay doubles with each quick failure in a row, to a minute at most:
/// a service whose image is nowhere, or that fails at once, costs its engine less the longer that lasts. The delay that was
/// asked for is the least, and the only one for tasks that ran a while or ended well.
/// </remarks>
internal sealed class SlotHistory
{
    /// <summary>A task that fails sooner than this after it may start has failed quickly.</summary>
    public static readonly TimeSpan QuickFailure = TimeSpan.FromSeconds(10);

    /// <summary>The longest delay that failing alone brings about.</summary>
    public static readonly TimeSpan LongestBackoff = TimeSpan.FromMinutes(1);

    private const int MaxRemembered = 10_000;
    private static readonly TimeSpan LeastBackoff = TimeSpan.FromSeconds(1);

    private readonly Queue<DateTimeOffset> restarts = new();
    private ulong specVersion;
    private ulong total;
    private int quickFailures;

    /// <summary>What a new leader can tell from the tasks that are kept, oldest first.</summary>
    public static SlotHistory From(IReadOnlyList<PlannedTask> tasks)
    {
        var history = new SlotHistory();
        // The newest task has had no successor yet, unless it is not wanted any more: then it may have been given up.
        for (int i = 0; i < tasks.Count - 1; i++)
        {
            PlannedTask task = tasks[i];
            if (EndedOfItself(task.Task))
            {
                TimeSpan waited = history.DelayOf(task.Task.Spec);
                history.RecordEnd(task.Task, task.Task.CreatedAt() + waited);
                history.RecordRestart(task.Task, tasks[i + 1].Task.CreatedAt());
            }
        }
        return history;
    }

    /// <summary>Notes that a task ended of itself.</summary>
    /// <param name="task">The task.</param>
    /// <param name="startedAt">Since when it was allowed to run.</param>
    public void RecordEnd(SwarmTask task, DateTimeOffset startedAt)
    {
        ForgetOtherSpecs(task);
        bool quick = task.Observed() == TaskState.Rejected
            || (task.Observed() == TaskState.Failed && task.ReportedAt() - startedAt < QuickFailure);
        quickFailures = quick ? quickFailures + 1 : 0;
    }

    /// <summary>Notes that a task that ended of itself gets a successor.</summary>
    public void RecordRestart(SwarmTask task, DateTimeOffset now)
    {
        ForgetOtherSpecs(task);
        if (!EndedOfItself(task))
        {
            return;
        }
        total++;
        if (ServiceDefaults.TimeOf(task.Spec?.Restart?.Window, TimeSpan.Zero) > TimeSpan.Zero)
        {
            restarts.Enqueue(now);
            while ((ulong)restarts.Count > Math.Min(task.Spec!.Restart.MaxAttempts, MaxRemembered))
            {
                restarts.Dequeue();
            }
        }
    }

    /// <summary>Whether the policy of a task allows a successor.</summary>
    /// <param name="task">A task that ended, or that has lost its node.</param>
    public bool MayRestart(SwarmTask task)
    {
        RestartPolicy.Types.RestartCondition condition = ServiceDefaults.RestartConditionOf(task.Spec);
        if (condition == RestartPolicy.Types.RestartCondition.None
            || (condition == RestartPolicy.Types.RestartCondition.OnFailure && task.Observed() == TaskState.Complete))
        {
            return false;
        }
        ulong max = task.Spec?.Restart?.MaxAttempts ?? 0;
        if (max == 0 || !EndedOfItself(task) || specVersion != VersionOf(task))
        {
            return true;
        }
        TimeSpan window = ServiceDefaults.TimeOf(task.Spec?.Restart?.Window, TimeSpan.Zero);
        if (window == TimeSpan.Zero)
        {
            return total < max;
        }
        DateTimeOffset ended = task.ReportedAt();
        return (ulong)restarts.Count(at => at > ended - window) < max;
    }

    /// <summary>How long the next task of the slot waits.</summary>
    public TimeSpan DelayOf(TaskSpec? spec)
    {
        TimeSpan asked = ServiceDefaults.RestartDelayOf(spec);
        if (quickFailures < 2 || asked >= LongestBackoff)
        {
            return asked;
        }
        TimeSpan first = asked > LeastBackoff ? asked : LeastBackoff;
        double grown = first.TotalSeconds * Math.Pow(2, Math.Min(quickFailures - 1, 16));
        return grown < LongestBackoff.TotalSeconds ? TimeSpan.FromSeconds(grown) : LongestBackoff;
    }

    // Where a manager or an operator stopped it, the task has done nothing that an attempt should be counted for.
    private static bool EndedOfItself(SwarmTask task) => task.Observed() is TaskState.Complete or TaskState.Failed or TaskState.Rejected;

    private static ulong VersionOf(SwarmTask task) => task.SpecVersion?.Index ?? 0;

    // A new spec starts with a clean slate.
    private void ForgetOtherSpecs(SwarmTask task)
    {
        if (specVersion != VersionOf(task))
        {
            specVersion = VersionOf(task);
            total = 0;
            quickFailures = 0;
            restarts.Clear();
        }
    }
}
