using System.Threading.Channels;
using Docker.Swarmkit.V1;
using Grpc.Core;
using Skep.Identity.Authorization;

namespace Skep.Manager.Logs;

/// <summary>The service agents hear of log subscriptions from, and publish to.</summary>
/// <param name="hub">Where clients and agents meet.</param>
public sealed class LogBrokerService(LogHub hub) : LogBroker.LogBrokerBase
{
    /// <inheritdoc/>
    public override async Task ListenSubscriptions(
        ListenSubscriptionsRequest request, IServerStreamWriter<SubscriptionMessage> responseStream, ServerCallContext context)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, hub.EnsureRunning());
        LogListener listener = hub.Listen(Node(context));
        try
        {
            while (true)
            {
                await listener.WaitAsync(either.Token).ConfigureAwait(false);
                foreach (SubscriptionMessage message in hub.Next(listener))
                {
                    await responseStream.WriteAsync(message, either.Token).ConfigureAwait(false);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The agent has gone, or this manager leads no more; either way the agent listens again.
        }
        finally
        {
            hub.Leave(listener);
        }
    }

    /// <inheritdoc/>
    public override async Task<PublishLogsResponse> PublishLogs(
        IAsyncStreamReader<PublishLogsMessage> requestStream, ServerCallContext context)
    {
        hub.EnsureRunning();
        string nodeId = Node(context);
        LogSubscription? subscription = null;
        string? error = null;
        try
        {
            while (await requestStream.MoveNext(context.CancellationToken).ConfigureAwait(false))
            {
                PublishLogsMessage message = requestStream.Current;
                subscription = Match(subscription, message.SubscriptionId);
                if (message.Close)
                {
                    break;
                }
                CheckSender(message, nodeId);
                await subscription.PublishAsync(message, context.CancellationToken).ConfigureAwait(false);
            }
            return new();
        }
        catch (ChannelClosedException)
        {
            throw Refused(StatusCode.NotFound, "unknown subscription ID");
        }
        catch (RpcException e)
        {
            error = e.Status.Detail;
            throw;
        }
        catch (Exception)
        {
            error = $"node {nodeId} disconnected unexpectedly";
            throw;
        }
        finally
        {
            subscription?.Done(nodeId, error);
        }
    }

    private static string Node(ServerCallContext context)
    {
        CallerIdentity caller = context.Caller();
        return caller.IsNode ? caller.NodeId : throw Refused(StatusCode.PermissionDenied, "Permission denied: no node calls");
    }

    private static RpcException Refused(StatusCode code, string message) => new(new Status(code, message));

    // A node that lends its logs another node's name could blame it.
    private static void CheckSender(PublishLogsMessage message, string nodeId)
    {
        foreach (LogMessage log in message.Messages)
        {
            if (log.Context?.NodeId != nodeId)
            {
                throw Refused(StatusCode.PermissionDenied, $"invalid NodeID: expected={nodeId};received={log.Context?.NodeId}");
            }
        }
    }

    private LogSubscription Match(LogSubscription? subscription, string id)
    {
        if (id.Length == 0)
        {
            throw Refused(StatusCode.InvalidArgument, "missing subscription ID");
        }
        if (subscription is null)
        {
            return hub.Find(id) ?? throw Refused(StatusCode.NotFound, "unknown subscription ID");
        }
        return subscription.Id == id
            ? subscription
            : throw Refused(StatusCode.InvalidArgument, "different subscription IDs in the same session");
    }
}
