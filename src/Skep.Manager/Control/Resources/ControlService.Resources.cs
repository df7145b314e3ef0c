using Docker.Swarmkit.V1;
using Grpc.Core;
using Skep.Api;
using Skep.Store;
using Extension = Docker.Swarmkit.V1.Extension;

namespace Skep.Manager.Control;

public sealed partial class ControlService
{
    /// <inheritdoc/>
    public override async Task<CreateResourceResponse> CreateResource(CreateResourceRequest request, ServerCallContext context)
    {
        if (string.IsNullOrEmpty(request.Annotations?.Name))
        {
            throw Refusal.Invalid("Resource must have a name");
        }
        if (request.Kind.Length == 0)
        {
            throw Refusal.Invalid("Resource must belong to an Extension");
        }
        var resource = new Resource
        {
            Id = Ids.New(),
            Annotations = request.Annotations.Clone(),
            Kind = request.Kind,
            Payload = request.Payload?.Clone(),
        };
        await WriteAsync(
            tx =>
            {
                if (tx.ByName<Extension>(resource.Kind) is null)
                {
                    throw Refusal.Invalid($"Kind {resource.Kind} is not registered");
                }
                if (tx.ByName<Resource>(resource.Annotations.Name) is not null)
                {
                    throw Refusal.Exists($"A resource with name {resource.Annotations.Name} already exists");
                }
                tx.Create(resource);
            },
            context).ConfigureAwait(false);
        LogChange("resource", resource.Annotations.Name, resource.Id, "created");
        return new CreateResourceResponse { Resource = resource };
    }

    /// <inheritdoc/>
    public override Task<GetResourceResponse> GetResource(GetResourceRequest request, ServerCallContext context)
    {
        if (request.ResourceId.Length == 0)
        {
            throw Refusal.Invalid("resource ID must be present");
        }
        return Task.FromResult(new GetResourceResponse
        {
            Resource = store.Read(view => view.Get<Resource>(request.ResourceId)) ?? throw ResourceNotFound(request.ResourceId),
        });
    }

    /// <inheritdoc/>
    public override Task<ListResourcesResponse> ListResources(ListResourcesRequest request, ServerCallContext context)
    {
        ListResourcesRequest.Types.Filters? f = request.Filters;
        return Task.FromResult(new ListResourcesResponse
        {
            Resources =
            {
                List<Resource>(r =>
                    Matching.AnyName(r.Id, r.Annotations?.Name ?? "", f?.Names, f?.NamePrefixes, f?.IdPrefixes)
                    && Matching.HasLabels(r.Annotations?.Labels, f?.Labels)
                    && (string.IsNullOrEmpty(f?.Kind) || r.Kind == f.Kind)),
            },
        });
    }

    /// <inheritdoc/>
    public override async Task<UpdateResourceResponse> UpdateResource(UpdateResourceRequest request, ServerCallContext context)
    {
        if (request.ResourceId.Length == 0 || request.ResourceVersion is null)
        {
            throw Refusal.Invalid("must include ID and version");
        }
        Resource? resource = null;
        await WriteAsync(
            tx =>
            {
                Resource stored = tx.Get<Resource>(request.ResourceId) ?? throw ResourceNotFound(request.ResourceId);
                if (request.Annotations is { } wanted && wanted.Name != stored.Annotations?.Name)
                {
                    throw Refusal.Invalid("cannot change resource name");
                }
                resource = ToChange(stored, request.ResourceVersion);
                resource.Annotations = request.Annotations?.Clone() ?? resource.Annotations;
                resource.Payload = request.Payload?.Clone() ?? resource.Payload;
                try
                {
                    tx.Update(resource);
                }
                catch (StoreException e) when (e.Kind == StoreErrorKind.OutOfSequence)
                {
                    // Only here does SwarmKit give a stale version a code.
                    throw Refusal.Invalid(e.Message);
                }
            },
            context).ConfigureAwait(false);
        LogChange("resource", resource!.Annotations.Name, resource.Id, "updated");
        return new UpdateResourceResponse { Resource = resource };
    }

    /// <inheritdoc/>
    public override async Task<RemoveResourceResponse> RemoveResource(RemoveResourceRequest request, ServerCallContext context)
    {
        if (request.ResourceId.Length == 0)
        {
            throw Refusal.Invalid("resource ID must be present");
        }
        await WriteAsync(tx => tx.Remove<Resource>(request.ResourceId), context).ConfigureAwait(false);
        LogChange("resource", request.ResourceId, request.ResourceId, "removed");
        return new RemoveResourceResponse();
    }

    private static RpcException ResourceNotFound(string id) => Refusal.NotFound($"resource {id} not found");
}
