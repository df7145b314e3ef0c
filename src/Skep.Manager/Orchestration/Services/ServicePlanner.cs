using Docker.Swarmkit.V1;

namespace Skep.Manager.Orchestration;

/// <summary>Decides what is to happen to a service, whatever its mode. Pure.</summary>
internal static class ServicePlanner
{
    /// <summary>Plans for a service as it is at one moment.</summary>
    public static ServicePlan Plan(ServiceSnapshot snapshot, ServiceMemory memory, DateTimeOffset now, Func<string> newId)
    {
        var plan = new ServicePlan(snapshot, memory, now, newId);
        if (snapshot.Service is null or { PendingDelete: true })
        {
            Remove(plan);
            return plan;
        }
        switch (snapshot.Service.Spec?.ModeCase)
        {
            case ServiceSpec.ModeOneofCase.Replicated:
                ReplicatedServices.Plan(plan);
                break;
            case ServiceSpec.ModeOneofCase.Global:
                GlobalServices.Plan(plan);
                break;
            case ServiceSpec.ModeOneofCase.ReplicatedJob:
                ReplicatedJobs.Plan(plan);
                break;
            case ServiceSpec.ModeOneofCase.GlobalJob:
                GlobalJobs.Plan(plan);
                break;
        }
        return plan;
    }

    // The reaper takes the tasks out of the store once they have stopped. A service that was only marked for deletion goes
    // after the last of them.
    private static void Remove(ServicePlan plan)
    {
        foreach (SwarmTask task in plan.Snapshot.Tasks)
        {
            plan.Move(new(task), TaskState.Remove);
        }
        if (plan.Snapshot is { Service: not null, Tasks.Count: 0 })
        {
            plan.RemoveService();
        }
    }
}
