using Docker.Swarmkit.V1;
using Grpc.Core;

namespace Skep.Manager.Control;

/// <remarks>
/// Cluster volumes need a CSI plugin on a manager, of which there is none: they are refused when they are made, so there never
/// are any to get, change or remove.
/// </remarks>
public sealed partial class ControlService
{
    /// <inheritdoc/>
    public override Task<CreateVolumeResponse> CreateVolume(CreateVolumeRequest request, ServerCallContext context)
    {
        if (request.Spec is not { } spec)
        {
            throw Refusal.Invalid("spec must not be nil");
        }
        if (spec.Driver is null)
        {
            throw Refusal.Invalid("driver must be specified");
        }
        if (string.IsNullOrEmpty(spec.Annotations?.Name))
        {
            throw Refusal.Invalid("meta: name must be provided");
        }
        if (spec.AccessMode is null)
        {
            throw Refusal.Invalid("AccessMode must not be nil");
        }
        if (spec.AccessMode.AccessTypeCase == VolumeAccessMode.AccessTypeOneofCase.None)
        {
            throw Refusal.Invalid("Volume AccessMode must specify either Mount or Block access type");
        }
        throw Refusal.Unimplemented(
            $"volume {spec.Annotations.Name} cannot be made: cluster (CSI) volumes are not supported; mount a volume of a driver, or a directory of the node's");
    }

    /// <inheritdoc/>
    public override Task<GetVolumeResponse> GetVolume(GetVolumeRequest request, ServerCallContext context) =>
        Task.FromResult(new GetVolumeResponse
        {
            Volume = store.Read(view => view.Get<Volume>(request.VolumeId)) ?? throw VolumeNotFound(request.VolumeId),
        });

    /// <inheritdoc/>
    public override Task<ListVolumesResponse> ListVolumes(ListVolumesRequest request, ServerCallContext context)
    {
        ListVolumesRequest.Types.Filters? f = request.Filters;
        return Task.FromResult(new ListVolumesResponse
        {
            Volumes =
            {
                List<Volume>(v =>
                    Matching.OneOf(v.Spec?.Annotations?.Name ?? "", f?.Names)
                    && Matching.StartsWithOneOf(v.Spec?.Annotations?.Name ?? "", f?.NamePrefixes)
                    && Matching.StartsWithOneOf(v.Id, f?.IdPrefixes)
                    && Matching.HasLabels(v.Spec?.Annotations?.Labels, f?.Labels)
                    && Matching.OneOf(v.Spec?.Group ?? "", f?.Groups)
                    && Matching.OneOf(v.Spec?.Driver?.Name ?? "", f?.Drivers)),
            },
        });
    }

    /// <inheritdoc/>
    public override Task<UpdateVolumeResponse> UpdateVolume(UpdateVolumeRequest request, ServerCallContext context)
    {
        if (request.VolumeId.Length == 0)
        {
            throw Refusal.Invalid("VolumeID must not be empty");
        }
        if (request.Spec is null)
        {
            throw Refusal.Invalid("Spec must not be empty");
        }
        if (request.VolumeVersion is null)
        {
            throw Refusal.Invalid("VolumeVersion must not be empty");
        }
        throw NoVolume(request.VolumeId);
    }

    /// <inheritdoc/>
    public override Task<RemoveVolumeResponse> RemoveVolume(RemoveVolumeRequest request, ServerCallContext context) =>
        throw NoVolume(request.VolumeId);

    private static RpcException VolumeNotFound(string id) => Refusal.NotFound($"volume {id} not found");

    // One that another make of manager left in the store is nobody's to change here.
    private RpcException NoVolume(string id) => store.Read(view => view.Get<Volume>(id)) is null
        ? VolumeNotFound(id)
        : Refusal.Unimplemented($"volume {id} cannot be changed: cluster (CSI) volumes are not supported");
}
