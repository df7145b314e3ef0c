using Docker.Swarmkit.V1;

namespace Skep.Manager.Orchestration;

/// <summary>
/// Runs a replicated job: as many tasks as it is to complete, at most so many at a time, each in a slot of its own from 0 on.
/// A new iteration starts over and removes what is left of the one before.
/// </summary>
internal static class ReplicatedJobs
{
    /// <summary>Plans for a replicated job.</summary>
    public static void Plan(ServicePlan plan)
    {
        ulong iteration = NewTask.JobIterationOf(plan.Service);
        JobTasks.RemoveOtherIterations(plan, iteration);
        Dictionary<SlotKey, Slot> slots = Slot.Group(JobTasks.Of(plan, iteration), static t => SlotKey.Numbered(t.Slot));
        ReplicatedJob job = plan.Service.Spec.ReplicatedJob;
        ulong running = 0;
        ulong settled = 0;
        var free = new HashSet<ulong>();
        foreach (Slot slot in slots.Values)
        {
            switch (JobTasks.StandingOf(plan, slot))
            {
                case JobStanding.Running:
                    running++;
                    break;
                case JobStanding.Settled:
                    settled++;
                    break;
                default:
                    free.Add(slot.Key.Slot);
                    break;
            }
        }
        ulong mayRun = job.MaxConcurrent == 0 ? ulong.MaxValue : job.MaxConcurrent;
        for (ulong number = 0; number < job.TotalCompletions && running < mayRun && running + settled < job.TotalCompletions; number++)
        {
            SlotKey key = SlotKey.Numbered(number);
            if (slots.TryGetValue(key, out Slot? slot))
            {
                if (!free.Contains(number))
                {
                    continue;
                }
            }
            else
            {
                slots[key] = slot = new(key);
            }
            plan.Create(slot, RestartSupervisor.IsInTheWay(plan, slot) ? TaskState.Ready : TaskState.Complete);
            running++;
        }
        foreach (Slot slot in slots.Values)
        {
            JobTasks.KeepGoing(plan, slot);
        }
        plan.Memory.Prune(slots);
    }
}
