using Docker.Swarmkit.V1;
using Skep.Store;
using Status = Docker.Swarmkit.V1.ListServiceStatusesResponse.Types.ServiceStatus;

namespace Skep.Manager.Control.Services;

/// <summary>How many tasks a service wants, has running, and has completed.</summary>
internal static class ServiceCount
{
    /// <summary>The count of a service; zeros for one that is not there.</summary>
    public static Status Of(IStoreView view, string serviceId)
    {
        Service? service = view.Get<Service>(serviceId);
        var status = new Status { ServiceId = serviceId };
        bool global = false;
        switch (service?.Spec?.ModeCase)
        {
            case ServiceSpec.ModeOneofCase.Replicated:
                status.DesiredTasks = service.Spec.Replicated.Replicas;
                break;
            case ServiceSpec.ModeOneofCase.ReplicatedJob:
                status.DesiredTasks = service.Spec.ReplicatedJob.MaxConcurrent;
                break;
            case not null:
                global = true;
                break;
        }
        foreach (SwarmTask task in view.TasksByService(serviceId))
        {
            TaskState state = task.Status?.State ?? TaskState.New;
            if (service?.JobStatus is { } job)
            {
                if (task.JobIteration is null || task.JobIteration.Index != (job.JobIteration?.Index ?? 0))
                {
                    continue; // of an earlier run
                }
                status.CompletedTasks += state == TaskState.Complete ? 1u : 0;
            }
            status.RunningTasks += state == TaskState.Running ? 1u : 0;
            if (global && (task.DesiredState == TaskState.Running || (task.DesiredState == TaskState.Complete && state != TaskState.Complete)))
            {
                status.DesiredTasks++;
            }
        }
        return status;
    }
}
