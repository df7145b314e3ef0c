using Docker.Swarmkit.V1;
using Grpc.Core;
using Skep.Store;
using Version = Docker.Swarmkit.V1.Version;

namespace Skep.Manager.Watch;

/// <summary>
/// Streams changes of the store to clients. A client that stops reading is closed when it is <c>backlog</c> commits behind, and
/// may resume from the version it saw last.
/// </summary>
/// <param name="store">The cluster's objects.</param>
/// <param name="backlog">How many commits a client may be behind.</param>
public sealed class WatchService(ClusterStore store, int backlog = 1_000) : Docker.Swarmkit.V1.Watch.WatchBase
{
    /// <inheritdoc/>
    public override async Task Watch(WatchRequest request, IServerStreamWriter<WatchMessage> responseStream, ServerCallContext context)
    {
        CancellationToken ct = context.CancellationToken;
        WatchSelector selector = Selector(request);
        using StoreSubscription subscription = Subscribe(request.ResumeFrom);
        ulong seen = request.ResumeFrom?.Index ?? store.Version;
        try
        {
            // The first message is empty and says that nothing will be missed from here on.
            await responseStream.WriteAsync(new(), ct).ConfigureAwait(false);
            await foreach (StoreCommit commit in subscription.Commits.ReadAllAsync(ct).ConfigureAwait(false))
            {
                WatchMessage message = Show(commit, selector, request.IncludeOldObject);
                if (message.Events.Count > 0)
                {
                    await responseStream.WriteAsync(message, ct).ConfigureAwait(false);
                }
                seen = commit.Version;
            }
        }
        catch (StoreLaggedException)
        {
            throw new RpcException(new Status(
                StatusCode.Aborted, $"the watch fell more than {backlog} commits behind and was closed; resume from version {seen}"));
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // The client has gone.
        }
    }

    private static WatchSelector Selector(WatchRequest request)
    {
        try
        {
            return new(request.Entries);
        }
        catch (ArgumentException e)
        {
            throw new RpcException(new Status(StatusCode.InvalidArgument, e.Message));
        }
    }

    private static WatchMessage Show(StoreCommit commit, WatchSelector selector, bool withOld)
    {
        var message = new WatchMessage { Version = new() { Index = commit.Version } };
        foreach (StoreChange change in commit.Changes)
        {
            if (selector.Fits(change))
            {
                message.Events.Add(new WatchMessage.Types.Event
                {
                    Action = WatchSelector.ActionOf(change.Kind),
                    Object = WatchedObject.Of(change.Object),
                    OldObject = withOld && change.Old is { } old ? WatchedObject.Of(old) : null,
                });
            }
        }
        return message;
    }

    private StoreSubscription Subscribe(Version? from)
    {
        if (from is null)
        {
            return store.Subscribe(backlog);
        }
        if (from.Index > store.Version)
        {
            throw new RpcException(new Status(
                StatusCode.InvalidArgument, $"cannot resume from version {from.Index}: the newest is {store.Version}"));
        }
        return store.SubscribeFrom(from.Index, backlog) ?? throw new RpcException(new Status(
            StatusCode.OutOfRange, $"changes since version {from.Index} are no longer kept; list the objects and watch without resume_from"));
    }
}
