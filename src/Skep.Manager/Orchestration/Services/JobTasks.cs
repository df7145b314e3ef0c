using Docker.Swarmkit.V1;

namespace Skep.Manager.Orchestration;

/// <summary>How far a slot of a job is.</summary>
internal enum JobStanding
{
    /// <summary>It has no task, or none that can still complete; a new one is made.</summary>
    Free,

    /// <summary>A task is on its way to completion.</summary>
    Running,

    /// <summary>A task is complete, or the policy gives up on it.</summary>
    Settled,
}

/// <summary>What replicated and global jobs have in common.</summary>
internal static class JobTasks
{
    /// <summary>The tasks of one iteration.</summary>
    public static IEnumerable<SwarmTask> Of(ServicePlan plan, ulong iteration) =>
        plan.Snapshot.Tasks.Where(t => IterationOf(t) == iteration);

    /// <summary>Stops and removes what earlier iterations have left running.</summary>
    public static void RemoveOtherIterations(ServicePlan plan, ulong iteration)
    {
        foreach (SwarmTask task in plan.Snapshot.Tasks)
        {
            if (IterationOf(task) != iteration && !task.HasEnded())
            {
                plan.Move(new(task), TaskState.Remove);
            }
        }
    }

    /// <summary>How far a slot is.</summary>
    public static JobStanding StandingOf(ServicePlan plan, Slot slot)
    {
        if (slot.Tasks.Exists(static t => t.Observed == TaskState.Complete))
        {
            return JobStanding.Settled;
        }
        if (slot.Wanted.Any())
        {
            return JobStanding.Running;
        }
        return slot.Newest is { } last && !plan.Memory.HistoryOf(slot).MayRestart(last.Task) ? JobStanding.Settled : JobStanding.Free;
    }

    /// <summary>Replaces what failed in a slot and starts what waits there; where a task is complete, the slot needs no other.</summary>
    public static void KeepGoing(ServicePlan plan, Slot slot)
    {
        if (slot.Tasks.Exists(static t => t.Observed == TaskState.Complete))
        {
            // A task may complete after all on a node that was drained or lost, when another has taken its place.
            foreach (PlannedTask task in slot.Wanted.Where(static t => t.Observed != TaskState.Complete).ToList())
            {
                plan.Move(task, TaskState.Shutdown);
            }
            return;
        }
        RestartSupervisor.Restart(plan, slot);
        RestartSupervisor.Start(plan, slot);
    }

    /// <summary>The iteration a task was made in.</summary>
    public static ulong IterationOf(SwarmTask task) => task.JobIteration?.Index ?? 0;
}
