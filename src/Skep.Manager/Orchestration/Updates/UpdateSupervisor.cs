using Docker.Swarmkit.V1;

namespace Skep.Manager.Orchestration;

/// <summary>Starts, steps and replaces the update of a service.</summary>
internal static class UpdateSupervisor
{
    /// <summary>Sees that the slots of a service come to its spec, at the pace of its update settings.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="all">Every slot with tasks.</param>
    /// <param name="kept">The slots that count: filled, and on nodes that take updates.</param>
    public static void Update(ServicePlan plan, IReadOnlyDictionary<SlotKey, Slot> all, IReadOnlyList<Slot> kept)
    {
        Service service = plan.Service;
        var check = new DirtyCheck(service);
        var dirty = new List<Slot>();
        foreach (Slot slot in kept)
        {
            if (!Settle(plan, slot, check))
            {
                dirty.Add(slot);
            }
        }
        UpdateStatus.Types.UpdateState? state = service.UpdateStatus?.State;
        ServiceMemory memory = plan.Memory;
        if (memory.Updater is { } running && !running.IsFor(service))
        {
            memory.Updater = null;
        }
        if (memory.Updater is null)
        {
            bool paused = state is UpdateStatus.Types.UpdateState.Paused or UpdateStatus.Types.UpdateState.RollbackPaused;
            bool underWay = state is UpdateStatus.Types.UpdateState.Updating or UpdateStatus.Types.UpdateState.RollbackStarted;
            if (paused || (dirty.Count == 0 && !underWay))
            {
                return;
            }
            memory.Updater = Updater.Begin(plan, kept, dirty, check);
        }
        memory.Updater.Step(plan, all, dirty, check);
        if (memory.Updater.IsOver)
        {
            memory.Updater = null;
        }
    }

    // Two tasks of a slot are wanted while one is started before the other stops. Once the new one runs, the others go; that
    // needs no update under way, so it happens under the next leader too, and when the update was paused meanwhile.
    // Returns false for a slot that an update has yet to give a task of the spec.
    private static bool Settle(ServicePlan plan, Slot slot, DirtyCheck check)
    {
        List<PlannedTask> wanted = [.. slot.Wanted];
        if (wanted.Count == 0)
        {
            return SlotStanding.Filling(plan, slot) is not [PlannedTask last, ..] || !check.IsDirty(last.Task, plan.NodeOf(last));
        }
        List<PlannedTask> clean = wanted.FindAll(t => !check.IsDirty(t.Task, plan.NodeOf(t)));
        if (clean.Count > 0 && wanted.Count > 1 && (clean.Find(static t => t.Observed == TaskState.Running) ?? (clean.Count == wanted.Count ? clean[^1] : null)) is { } stays)
        {
            foreach (PlannedTask task in wanted)
            {
                if (task != stays)
                {
                    plan.Move(task, TaskState.Shutdown);
                }
            }
        }
        return clean.Count > 0;
    }
}
