using Docker.Swarmkit.V1;
using Skep.Api;

namespace Skep.Manager.Orchestration;

/// <summary>
/// Replaces tasks that ended or lost their node, as their restart policy says, and starts tasks that waited for a delay or for
/// their predecessor to stop. Pure: it writes into the plan (facts: moby/swarmkit manager/orchestrator/restart).
/// </summary>
internal static class RestartSupervisor
{
    /// <summary>How long a task waits for its predecessor to stop, unless that one's grace period is longer.</summary>
    public static readonly TimeSpan StopTimeout = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan StopMargin = TimeSpan.FromSeconds(10);

    /// <summary>Replaces every task of a slot that ended or lost its node.</summary>
    public static void Restart(ServicePlan plan, Slot slot)
    {
        foreach (PlannedTask task in slot.Wanted.ToList())
        {
            bool lost = task.Task.NodeId.Length > 0 && TaskFacts.IsLost(plan.NodeOf(task));
            if (IsOver(plan, task))
            {
                RestartEnded(plan, slot, task, lost);
            }
            else if (lost)
            {
                MoveAway(plan, slot, task);
            }
        }
    }

    /// <summary>Starts the tasks of a slot that waited long enough.</summary>
    public static void Start(ServicePlan plan, Slot slot)
    {
        foreach (PlannedTask task in slot.Tasks)
        {
            if (task.Desired >= TaskState.Running)
            {
                continue;
            }
            DateTimeOffset until = plan.Memory.HeldUntil(slot, task);
            if (until <= plan.Now && IsInTheWay(plan, slot, task))
            {
                TimeSpan grace = ServiceDefaults.StopGracePeriodOf(task.Task.Spec) + StopMargin;
                until = task.Task.CreatedAt() + (grace > StopTimeout ? grace : StopTimeout);
            }
            if (until > plan.Now)
            {
                plan.Wake(until);
            }
            else
            {
                plan.Move(task, plan.Goal);
            }
        }
    }

    /// <summary>Whether an older task of the slot still has to stop.</summary>
    public static bool IsInTheWay(ServicePlan plan, Slot slot, PlannedTask? newer = null)
    {
        foreach (PlannedTask task in slot.Tasks)
        {
            if (task == newer)
            {
                return false;
            }
            if (!task.IsWanted && !TaskFacts.IsOutOfTheWay(task.Task, plan.NodeOf(task)))
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>Whether a task ended in a way that the policy answers: a job's task that is complete is done.</summary>
    public static bool IsOver(ServicePlan plan, PlannedTask task) => task.Observed > plan.Goal;

    private static void RestartEnded(ServicePlan plan, Slot slot, PlannedTask task, bool lostNode)
    {
        DateTimeOffset held = plan.Memory.HeldUntil(slot, task);
        if (task.Desired < TaskState.Running && held > plan.Now && !lostNode)
        {
            // It ended while it waited to start, as one does whose image is nowhere. Its successor comes when the wait is over,
            // or there would be a new task as fast as agents reject them.
            plan.Wake(held);
            return;
        }
        SlotHistory history = plan.Memory.HistoryOf(slot);
        bool mayRestart = history.MayRestart(task.Task);
        history.RecordEnd(task.Task, held);
        if (!mayRestart)
        {
            plan.Move(task, TaskState.Shutdown);
            return;
        }
        history.RecordRestart(task.Task, plan.Now);
        TimeSpan delay = lostNode ? TimeSpan.Zero : history.DelayOf(task.Task.Spec);
        PlannedTask next = plan.Replace(slot, [task], TaskState.Ready);
        plan.Memory.Hold(next.Id, plan.Now + delay);
    }

    // Nothing is wrong with the task itself: its successor comes at once and is no attempt.
    private static void MoveAway(ServicePlan plan, Slot slot, PlannedTask task)
    {
        if (!plan.Memory.HistoryOf(slot).MayRestart(task.Task))
        {
            plan.Move(task, TaskState.Shutdown);
            return;
        }
        DateTimeOffset held = plan.Memory.HeldUntil(slot, task);
        PlannedTask next = plan.Replace(slot, [task], TaskState.Ready);
        plan.Memory.Hold(next.Id, held > plan.Now ? held : plan.Now);
    }
}
