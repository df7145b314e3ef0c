using Docker.Swarmkit.V1;
using Grpc.Core;
using Skep.Api;
using Skep.Manager.Control.Rules;
using Skep.Manager.Control.Services;
using Skep.Store;

namespace Skep.Manager.Control;

public sealed partial class ControlService
{
    /// <inheritdoc/>
    public override Task<GetServiceResponse> GetService(GetServiceRequest request, ServerCallContext context)
    {
        if (request.ServiceId.Length == 0)
        {
            throw Refusal.Invalid();
        }
        Service service = store.Read(view => view.Get<Service>(request.ServiceId)) ?? throw ServiceNotFound(request.ServiceId);
        if (request.InsertDefaults)
        {
            service = service.Clone();
            service.Spec = ServiceDefaults.Interpolate(service.Spec ?? new());
        }
        return Task.FromResult(new GetServiceResponse { Service = service });
    }

    /// <inheritdoc/>
    public override Task<ListServicesResponse> ListServices(ListServicesRequest request, ServerCallContext context)
    {
        ListServicesRequest.Types.Filters? f = request.Filters;
        return Task.FromResult(new ListServicesResponse
        {
            Services =
            {
                List<Service>(s =>
                    Matching.OneOf(s.Spec?.Annotations?.Name ?? "", f?.Names)
                    && Matching.StartsWithOneOf(s.Spec?.Annotations?.Name ?? "", f?.NamePrefixes)
                    && Matching.StartsWithOneOf(s.Id, f?.IdPrefixes)
                    && Matching.HasLabels(s.Spec?.Annotations?.Labels, f?.Labels)
                    && Matching.OneOf(ObjectNames.RuntimeOf(s.Spec?.Task) ?? "", f?.Runtimes)),
            },
        });
    }

    /// <inheritdoc/>
    public override async Task<CreateServiceResponse> CreateService(CreateServiceRequest request, ServerCallContext context)
    {
        ServiceRules.Check(request.Spec);
        var service = new Service
        {
            Id = Ids.New(),
            Spec = request.Spec.Clone(),
            SpecVersion = new(),
        };
        if (ServiceRules.IsJob(service.Spec))
        {
            service.JobStatus = new() { JobIteration = new(), LastExecution = Now };
        }
        await WriteAsync(
            tx =>
            {
                if (tx.ByName<Service>(request.Spec.Annotations.Name) is not null)
                {
                    throw Refusal.Exists($"name conflicts with an existing object: service {request.Spec.Annotations.Name} already exists");
                }
                ServiceReferences.Check(tx, service.Spec);
                PortConflicts.Check(tx, service.Spec.Endpoint, null);
                tx.Create(service);
            },
            context).ConfigureAwait(false);
        LogChange("service", service.Spec.Annotations.Name, service.Id, "created");
        return new CreateServiceResponse { Service = service };
    }

    /// <inheritdoc/>
    public override async Task<UpdateServiceResponse> UpdateService(UpdateServiceRequest request, ServerCallContext context)
    {
        if (request.ServiceId.Length == 0 || request.ServiceVersion is null)
        {
            throw Refusal.Invalid();
        }
        EnumRules.CheckKnown(request.Rollback, "UpdateServiceRequest: rollback");
        ServiceRules.Check(request.Spec);
        Service? service = null;
        await WriteAsync(
            tx =>
            {
                Service stored = tx.Get<Service>(request.ServiceId) ?? throw ServiceNotFound(request.ServiceId);
                CheckUpdate(tx, stored, request.Spec);
                service = ServiceUpdate.Apply(stored, request, Now);
                service.Meta.Version = request.ServiceVersion.Clone();
                tx.Update(service);
            },
            context).ConfigureAwait(false);
        LogChange("service", service!.Spec.Annotations.Name, service.Id, request.Rollback == UpdateServiceRequest.Types.Rollback.Previous ? "rolled back" : "updated");
        return new UpdateServiceResponse { Service = service };
    }

    /// <inheritdoc/>
    public override async Task<RemoveServiceResponse> RemoveService(RemoveServiceRequest request, ServerCallContext context)
    {
        if (request.ServiceId.Length == 0)
        {
            throw Refusal.Invalid();
        }
        await WriteAsync(tx => tx.Remove<Service>(request.ServiceId), context).ConfigureAwait(false);
        LogChange("service", request.ServiceId, request.ServiceId, "removed");
        return new RemoveServiceResponse();
    }

    /// <inheritdoc/>
    public override Task<ListServiceStatusesResponse> ListServiceStatuses(ListServiceStatusesRequest request, ServerCallContext context) =>
        Task.FromResult(store.Read(view => new ListServiceStatusesResponse
        {
            Statuses = { request.Services.Select(id => ServiceCount.Of(view, id)) },
        }));

    private static RpcException ServiceNotFound(string id) => Refusal.NotFound($"service {id} not found");

    private static void CheckUpdate(WriteTransaction tx, Service stored, ServiceSpec wanted)
    {
        ServiceSpec had = stored.Spec ?? new();
#pragma warning disable CS0612 // what old clients wrote there must move to the task before it may change
        if (!wanted.Networks.Equals(had.Networks) && wanted.Task.Networks.Equals(had.Task?.Networks))
        {
            throw Refusal.Unimplemented("networks must be migrated to TaskSpec before being changed");
        }
#pragma warning restore CS0612
        ServiceReferences.Check(tx, wanted);
        if (wanted.ModeCase != had.ModeCase)
        {
            throw Refusal.Unimplemented("service mode change is not allowed");
        }
        if (wanted.Annotations.Name != had.Annotations?.Name)
        {
            throw Refusal.Unimplemented("renaming services is not supported");
        }
        if (wanted.Endpoint is not null && !wanted.Endpoint.Equals(had.Endpoint))
        {
            PortConflicts.Check(tx, wanted.Endpoint, stored.Id);
        }
    }
}
