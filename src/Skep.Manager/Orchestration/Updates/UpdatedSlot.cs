using Docker.Swarmkit.V1;

namespace Skep.Manager.Orchestration;

/// <summary>One slot an update works on: a new task is made, comes to run or ends, and the pause after it passes.</summary>
internal sealed class UpdatedSlot
{
    private string taskId;

    private UpdatedSlot(SlotKey key, string taskId)
    {
        Key = key;
        this.taskId = taskId;
    }

    /// <summary>Which slot.</summary>
    public SlotKey Key { get; }

    /// <summary>The end of the pause after the slot; null as long as its task has not come to run.</summary>
    public DateTimeOffset? PausedUntil { get; private set; }

    /// <summary>Makes the new task of a slot and, unless it is to run first, stops the old one.</summary>
    public static UpdatedSlot Begin(ServicePlan plan, Slot slot, UpdateSettings settings, UpdatedTasks made)
    {
        PlannedTask task;
        if (settings.StartFirst)
        {
            // One old task goes on running, the newest that does; what an update before this one has left besides goes.
            List<PlannedTask> wanted = [.. slot.Wanted];
            PlannedTask? stays = wanted.FindLast(static t => t.Observed == TaskState.Running) ?? wanted.LastOrDefault();
            bool mustWait = wanted.Count > 1 || RestartSupervisor.IsInTheWay(plan, slot);
            task = plan.Replace(slot, wanted.Where(t => t != stays), mustWait ? TaskState.Ready : plan.Goal);
        }
        else
        {
            task = plan.Replace(slot, slot.Wanted.ToList(), TaskState.Ready);
        }
        made.Add(slot.Key, task.Id);
        return new(slot.Key, task.Id);
    }

    /// <summary>A slot another leader has begun with.</summary>
    public static UpdatedSlot TakeOver(Slot slot, PlannedTask task, UpdateSettings settings) => new(slot.Key, task.Id)
    {
        PausedUntil = task.Observed == TaskState.Running ? task.Task.ReportedAt() + settings.Delay : null,
    };

    /// <summary>Goes on with the slot.</summary>
    /// <returns>True when it is done.</returns>
    public bool Step(ServicePlan plan, Slot? slot, UpdateSettings settings, UpdatedTasks made, DirtyCheck check)
    {
        if (slot is null)
        {
            return true;
        }
        if (PausedUntil is null)
        {
            PlannedTask? task = Follow(plan, slot, made, check);
            if (task is not null && task.Observed < TaskState.Running)
            {
                return false;
            }
            PausedUntil = plan.Now + settings.Delay;
        }
        if (PausedUntil > plan.Now)
        {
            plan.Wake(PausedUntil.Value);
            return false;
        }
        return true;
    }

    // The task may have lost its node meanwhile; then the one that took its place is waited for.
    private PlannedTask? Follow(ServicePlan plan, Slot slot, UpdatedTasks made, DirtyCheck check)
    {
        PlannedTask? task = slot.Tasks.Find(t => t.Id == taskId);
        if (task is not null && (task.IsWanted || task.HasEnded))
        {
            return task;
        }
        task = slot.Tasks.FindLast(t => t.IsWanted && !check.IsDirty(t.Task, plan.NodeOf(t)));
        if (task is not null)
        {
            taskId = task.Id;
            made.Add(slot.Key, taskId);
        }
        return task;
    }
}
