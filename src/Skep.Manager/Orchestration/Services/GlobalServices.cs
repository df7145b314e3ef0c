using Docker.Swarmkit.V1;

namespace Skep.Manager.Orchestration;

/// <summary>Keeps one task of a global service on every node it is meant for.</summary>
internal static class GlobalServices
{
    /// <summary>Plans for a global service.</summary>
    public static void Plan(ServicePlan plan)
    {
        Dictionary<SlotKey, Slot> slots = Slot.Group(plan.Snapshot.Tasks, static t => SlotKey.OnNode(t.NodeId));
        var eligibility = new NodeEligibility(plan.Service);
        var filled = new List<Slot>();
        var started = new List<Slot>();
        foreach (Node node in plan.Snapshot.Nodes.OrderBy(static n => n.Id, StringComparer.Ordinal))
        {
            if (!eligibility.IsFor(node))
            {
                continue;
            }
            SlotKey key = SlotKey.OnNode(node.Id);
            if (!slots.TryGetValue(key, out Slot? slot))
            {
                slots[key] = slot = new(key);
            }
            started.Add(slot);
            if (NodeEligibility.TakesNew(node))
            {
                Fill(plan, slot);
                filled.Add(slot);
            }
            else
            {
                GiveUpEnded(plan, slot);
            }
        }
        ShutDownElsewhere(plan, slots.Values.Except(started));
        UpdateSupervisor.Update(plan, slots, filled);
        foreach (Slot slot in started)
        {
            RestartSupervisor.Start(plan, slot);
        }
        plan.Memory.Prune(slots);
    }

    private static void Fill(ServicePlan plan, Slot slot)
    {
        if (SlotStanding.Filling(plan, slot).Count > 0)
        {
            RestartSupervisor.Restart(plan, slot);
        }
        else
        {
            plan.Create(slot, RestartSupervisor.IsInTheWay(plan, slot) ? TaskState.Ready : TaskState.Running);
        }
    }

    // A paused node takes no new task, so what ended there has no successor until it is active again.
    private static void GiveUpEnded(ServicePlan plan, Slot slot)
    {
        foreach (PlannedTask task in slot.Wanted.Where(static t => t.HasEnded).ToList())
        {
            plan.Move(task, TaskState.Shutdown);
        }
    }

    private static void ShutDownElsewhere(ServicePlan plan, IEnumerable<Slot> slots)
    {
        foreach (Slot slot in slots)
        {
            // On a node that is gone nothing is left to stop, and nobody to say so.
            TaskState end = plan.Snapshot.NodeOf(slot.Key.NodeId) is null ? TaskState.Remove : TaskState.Shutdown;
            foreach (PlannedTask task in slot.Tasks.Where(t => t.IsWanted || end == TaskState.Remove))
            {
                plan.Move(task, end);
            }
        }
    }
}
