using Docker.Swarmkit.V1;

namespace Skep.Manager.Orchestration;

/// <summary>Runs a global job: one task to completion on every node it is meant for, on nodes that come later too.</summary>
internal static class GlobalJobs
{
    /// <summary>Plans for a global job.</summary>
    public static void Plan(ServicePlan plan)
    {
        ulong iteration = NewTask.JobIterationOf(plan.Service);
        JobTasks.RemoveOtherIterations(plan, iteration);
        Dictionary<SlotKey, Slot> slots = Slot.Group(JobTasks.Of(plan, iteration), static t => SlotKey.OnNode(t.NodeId));
        var eligibility = new NodeEligibility(plan.Service);
        foreach (Node node in plan.Snapshot.Nodes.OrderBy(static n => n.Id, StringComparer.Ordinal))
        {
            SlotKey key = SlotKey.OnNode(node.Id);
            if (!slots.TryGetValue(key, out Slot? slot))
            {
                slots[key] = slot = new(key);
            }
            if (!eligibility.IsFor(node))
            {
                ShutDown(plan, slot);
                continue;
            }
            if (NodeEligibility.TakesNew(node))
            {
                if (JobTasks.StandingOf(plan, slot) == JobStanding.Free)
                {
                    plan.Create(slot, RestartSupervisor.IsInTheWay(plan, slot) ? TaskState.Ready : TaskState.Complete);
                }
                JobTasks.KeepGoing(plan, slot);
            }
            else
            {
                RestartSupervisor.Start(plan, slot);
            }
        }
        foreach (Slot slot in slots.Values.Where(s => plan.Snapshot.NodeOf(s.Key.NodeId) is null))
        {
            foreach (PlannedTask task in slot.Tasks)
            {
                plan.Move(task, TaskState.Remove);
            }
        }
        plan.Memory.Prune(slots);
    }

    private static void ShutDown(ServicePlan plan, Slot slot)
    {
        foreach (PlannedTask task in slot.Wanted.Where(static t => t.Observed != TaskState.Complete).ToList())
        {
            plan.Move(task, TaskState.Shutdown);
        }
    }
}
