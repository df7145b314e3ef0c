using Docker.Swarmkit.V1;
using Google.Protobuf.WellKnownTypes;

namespace Skep.Manager.Orchestration;

/// <summary>Makes tasks out of a service.</summary>
internal static class NewTask
{
    /// <summary>A task of a service as it is now. It shares the service's spec, which like everything stored is never changed.</summary>
    public static SwarmTask Of(Service service, Cluster? cluster, SlotKey key, TaskState desired, string id, DateTimeOffset now)
    {
        ServiceSpec spec = service.Spec;
        TaskSpec taskSpec = spec.Task ?? new();
        var task = new SwarmTask
        {
            Id = id,
            ServiceId = service.Id,
            ServiceAnnotations = spec.Annotations,
            Spec = taskSpec,
            SpecVersion = service.SpecVersion,
            Slot = key.Slot,
            NodeId = key.NodeId,
            Status = new() { State = TaskState.New, Timestamp = Timestamp.FromDateTimeOffset(now), Message = "created" },
            Endpoint = new() { Spec = spec.Endpoint },
            DesiredState = desired,
            LogDriver = taskSpec.LogDriver ?? cluster?.Spec?.TaskDefaults?.LogDriver,
            // What the store will say once it has the task; the rest of the plan sees it so already.
            Meta = new() { CreatedAt = Timestamp.FromDateTimeOffset(now) },
        };
        if (spec.ModeCase is ServiceSpec.ModeOneofCase.ReplicatedJob or ServiceSpec.ModeOneofCase.GlobalJob)
        {
            task.JobIteration = new() { Index = JobIterationOf(service) };
        }
        return task;
    }

    /// <summary>The run a job is in; a new one starts with every update of its spec.</summary>
    public static ulong JobIterationOf(Service service) => service.JobStatus?.JobIteration?.Index ?? 0;
}
