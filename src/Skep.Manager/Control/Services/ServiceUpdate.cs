using Docker.Swarmkit.V1;
using Google.Protobuf.WellKnownTypes;

namespace Skep.Manager.Control.Services;

/// <summary>What a service becomes by an update or a rollback. Pure.</summary>
internal static class ServiceUpdate
{
    /// <summary>The service with the new spec, or with the one before; the spec that was goes to previous_spec.</summary>
    /// <param name="stored">The service; not changed.</param>
    /// <param name="request">What is asked.</param>
    /// <param name="now">When.</param>
    public static Service Apply(Service stored, UpdateServiceRequest request, Timestamp now)
    {
        Service service = stored.Clone();
        if (service.JobStatus is { } job)
        {
            job.JobIteration = new() { Index = (job.JobIteration?.Index ?? 0) + 1 };
            job.LastExecution = now;
        }
        if (request.Rollback == UpdateServiceRequest.Types.Rollback.Previous)
        {
            if (service.PreviousSpec is null)
            {
                throw Refusal.Precondition($"service {request.ServiceId} does not have a previous spec");
            }
            (service.Spec, service.PreviousSpec) = (service.PreviousSpec, service.Spec);
            (service.SpecVersion, service.PreviousSpecVersion) = (service.PreviousSpecVersion, service.SpecVersion);
            service.UpdateStatus = new()
            {
                State = UpdateStatus.Types.UpdateState.RollbackStarted,
                Message = "manually requested rollback",
                StartedAt = now,
            };
            return service;
        }
        service.PreviousSpec = service.Spec;
        service.PreviousSpecVersion = service.SpecVersion;
        service.Spec = request.Spec.Clone();
        // The version the client has seen: it changes with each spec, and is not the version the service gets by this write.
        service.SpecVersion = request.ServiceVersion.Clone();
        service.UpdateStatus = null;
        return service;
    }
}
