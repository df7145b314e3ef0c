using Docker.Swarmkit.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Skep.Api;
using Skep.Identity.Authorization;
using Skep.Store;

namespace Skep.Manager.Attachments;

/// <summary>
/// Attaches containers that are no tasks to the cluster's networks: an agent asks, and gets a task of its own node that stands
/// for the attachment (source: moby/swarmkit manager/resourceapi).
/// </summary>
/// <param name="store">The cluster's objects.</param>
/// <param name="time">The clock.</param>
public sealed class ResourceAllocatorService(ClusterStore store, TimeProvider time) : ResourceAllocator.ResourceAllocatorBase
{
    /// <inheritdoc/>
    public override async Task<AttachNetworkResponse> AttachNetwork(AttachNetworkRequest request, ServerCallContext context)
    {
        string nodeId = context.Caller().NodeId;
        if (string.IsNullOrEmpty(request.Config?.Target))
        {
            throw Refused(StatusCode.InvalidArgument, "the network to attach to must be named in config.target");
        }
        if (request.ContainerId.Length == 0)
        {
            throw Refused(StatusCode.InvalidArgument, "the container to attach must be named in container_id");
        }
        string target = request.Config.Target;
        Network network = store.Read(view => view.Get<Network>(target) ?? view.ByName<Network>(target))
            ?? throw Refused(StatusCode.NotFound, $"network {target} not found");
        if (network.Spec?.Attachable != true)
        {
            throw Refused(StatusCode.PermissionDenied, $"network {target} not manually attachable");
        }
        var task = new SwarmTask
        {
            Id = Ids.New(),
            NodeId = nodeId,
            Spec = new()
            {
                Attachment = new() { ContainerId = request.ContainerId },
                Networks = { new NetworkAttachmentConfig { Target = network.Id, Addresses = { request.Config.Addresses } } },
            },
            Status = new() { State = TaskState.New, Timestamp = Timestamp.FromDateTimeOffset(time.GetUtcNow()), Message = "created" },
            DesiredState = TaskState.Running,
        };
        await UpdateAsync(tx => tx.Create(task), context.CancellationToken).ConfigureAwait(false);
        return new() { AttachmentId = task.Id };
    }

    /// <inheritdoc/>
    public override async Task<DetachNetworkResponse> DetachNetwork(DetachNetworkRequest request, ServerCallContext context)
    {
        string nodeId = context.Caller().NodeId;
        string id = request.AttachmentId;
        if (id.Length == 0)
        {
            throw Refused(StatusCode.InvalidArgument, "invalid argument");
        }
        await UpdateAsync(
            tx =>
            {
                SwarmTask? task = tx.Get<SwarmTask>(id);
                if (task?.Spec?.Attachment is null)
                {
                    throw Refused(StatusCode.NotFound, $"attachment {id} not found");
                }
                if (task.NodeId != nodeId)
                {
                    throw Refused(StatusCode.PermissionDenied, $"attachment {id} doesn't belong to this node");
                }
                tx.Remove<SwarmTask>(id);
            },
            context.CancellationToken).ConfigureAwait(false);
        return new();
    }

    private static RpcException Refused(StatusCode code, string message) => new(new Status(code, message));

    private async Task UpdateAsync(Action<WriteTransaction> change, CancellationToken ct)
    {
        try
        {
            await store.UpdateAsync(change, ct).ConfigureAwait(false);
        }
        catch (StoreException e)
        {
            throw Refused(StatusCode.Unavailable, $"the manager could not store the attachment: {e.Message}");
        }
    }
}
