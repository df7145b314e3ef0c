using System.Net;
using Docker.Swarmkit.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Skep.Identity.Authorization;
using Skep.Manager.Dispatch.Sessions;
using Skep.Manager.Dispatch.Writing;
using Skep.Store;
using Enum = System.Enum;
using TaskStatus = Docker.Swarmkit.V1.TaskStatus;

namespace Skep.Manager.Dispatch;

/// <summary>The service agents speak with: registration, heartbeats, assignments, reports. The work is <see cref="NodeDispatcher"/>'s.</summary>
/// <param name="dispatcher">The dispatcher of this manager.</param>
/// <param name="ownAddress">Where the caller can reach this manager, host:port: what it advertises, or the local address of that very connection.</param>
public sealed partial class DispatcherService(NodeDispatcher dispatcher, Func<ServerCallContext, string> ownAddress)
    : Docker.Swarmkit.V1.Dispatcher.DispatcherBase
{
    /// <summary>How many statuses one request may carry, as SwarmKit's agents batch them.</summary>
    public const int MaxUpdates = 1024;

    private const int MaxDescriptionBytes = 256 * 1024;
    private const int MaxStatusBytes = 64 * 1024;
    private const int MaxTextChars = 4096;

    /// <inheritdoc/>
    public override Task<HeartbeatResponse> Heartbeat(HeartbeatRequest request, ServerCallContext context)
    {
        dispatcher.EnsureRunning();
        TimeSpan period = dispatcher.Sessions.Heartbeat(Caller(context).NodeId, request.SessionId, dispatcher.Now);
        return Task.FromResult(new HeartbeatResponse { Period = Duration.FromTimeSpan(period) });
    }

    /// <inheritdoc/>
    public override async Task<UpdateTaskStatusResponse> UpdateTaskStatus(UpdateTaskStatusRequest request, ServerCallContext context)
    {
        dispatcher.EnsureRunning();
        string nodeId = Caller(context).NodeId;
        dispatcher.Sessions.Get(nodeId, request.SessionId);
        if (request.Updates.Count > MaxUpdates)
        {
            throw Invalid($"{request.Updates.Count} statuses in one request are more than the {MaxUpdates} allowed; send them in several");
        }
        foreach (UpdateTaskStatusRequest.Types.TaskStatusUpdate update in request.Updates)
        {
            Check(update.Status);
        }

        // A node that names another node's task is wrong altogether; a task that is gone needs no status.
        List<UpdateTaskStatusRequest.Types.TaskStatusUpdate> accepted = dispatcher.Store.Read(view =>
            request.Updates.Where(u => u.Status is not null && view.Get<SwarmTask>(u.TaskId) is { } task && Owns(task, nodeId)).ToList());
        DateTimeOffset now = dispatcher.Clock.GetUtcNow();
        await dispatcher.WriteAsync(
            [.. accepted.Select(u => (Action<WriteTransaction>)(tx => StatusChanges.Observe(tx, u.TaskId, nodeId, u.Status, dispatcher.NodeId, now)))],
            context.CancellationToken).ConfigureAwait(false);
        return new();
    }

    /// <inheritdoc/>
    public override async Task<UpdateVolumeStatusResponse> UpdateVolumeStatus(UpdateVolumeStatusRequest request, ServerCallContext context)
    {
        dispatcher.EnsureRunning();
        string nodeId = Caller(context).NodeId;
        dispatcher.Sessions.Get(nodeId, request.SessionId);
        if (request.Updates.Count > MaxUpdates)
        {
            throw Invalid($"{request.Updates.Count} statuses in one request are more than the {MaxUpdates} allowed; send them in several");
        }
        await dispatcher.WriteAsync(
            [.. request.Updates.Where(u => u.Unpublished).Select(u => (Action<WriteTransaction>)(tx => StatusChanges.Unpublish(tx, u.Id, nodeId)))],
            context.CancellationToken).ConfigureAwait(false);
        return new();
    }

    private static CallerIdentity Caller(ServerCallContext context)
    {
        CallerIdentity caller = context.Caller();
        return caller.IsNode ? caller : throw new RpcException(new Status(StatusCode.PermissionDenied, "Permission denied: no node calls"));
    }

    private static RpcException Invalid(string message) => new(new Status(StatusCode.InvalidArgument, message));

    private static bool Owns(SwarmTask task, string nodeId) => task.NodeId == nodeId
        ? true
        : throw new RpcException(new Status(StatusCode.PermissionDenied, "cannot update a task not assigned this node"));

    private static void Check(TaskStatus? status)
    {
        if (status is null)
        {
            return;
        }
        if (!Enum.IsDefined(status.State))
        {
            throw Invalid($"{(int)status.State} is no state of a task");
        }
        status.Message = Cut(status.Message);
        status.Err = Cut(status.Err);
        if (status.CalculateSize() > MaxStatusBytes)
        {
            throw Invalid($"a task's status of {status.CalculateSize()} bytes is larger than the {MaxStatusBytes} allowed");
        }
    }

    // Engines may put whole build logs into an error; its beginning says enough, and refusing it would lose the state.
    private static string Cut(string text) => text.Length <= MaxTextChars ? text : string.Concat(text.AsSpan(0, MaxTextChars), "…");

    private async Task<NodeSession> OpenSessionAsync(SessionRequest request, CallerIdentity caller, CancellationToken ct)
    {
        if (request.Description is not null && request.Description.CalculateSize() is var size && size > MaxDescriptionBytes)
        {
            throw Invalid($"a node description of {size} bytes is larger than the {MaxDescriptionBytes} allowed; are there that many engine labels?");
        }
        string? address = HostOf(caller.RemoteAddress);
        if (request.SessionId.Length > 0 && TryGet(caller.NodeId, request.SessionId) is { } session)
        {
            // The agent goes on with its session and has something new to say of its node.
            await dispatcher.WriteAsync(
                [tx => StatusChanges.Register(tx, caller.NodeId, request.Description, address)], ct).ConfigureAwait(false);
            return session;
        }
        return await dispatcher.RegisterAsync(caller.NodeId, request.Description, address, ct).ConfigureAwait(false);
    }

    private NodeSession? TryGet(string nodeId, string sessionId)
    {
        try
        {
            return dispatcher.Sessions.Get(nodeId, sessionId);
        }
        catch (RpcException)
        {
            return null;
        }
    }

    private static string? HostOf(string? address)
    {
        if (string.IsNullOrEmpty(address))
        {
            return null;
        }
        if (IPEndPoint.TryParse(address, out IPEndPoint? end))
        {
            return (end.Address.IsIPv4MappedToIPv6 ? end.Address.MapToIPv4() : end.Address).ToString();
        }
        int colon = address.LastIndexOf(':');
        return colon > 0 ? address[..colon] : address;
    }
}
