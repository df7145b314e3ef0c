using Docker.Swarmkit.V1;
using Grpc.Core;

namespace Skep.Manager.Logs;

/// <summary>The service clients read logs from.</summary>
/// <param name="hub">Where clients and agents meet.</param>
public sealed class LogsService(LogHub hub) : Docker.Swarmkit.V1.Logs.LogsBase
{
    /// <summary>How many lines go out in one message when many wait.</summary>
    private const int BatchLines = 1_000;

    /// <inheritdoc/>
    public override async Task SubscribeLogs(
        SubscribeLogsRequest request, IServerStreamWriter<SubscribeLogsMessage> responseStream, ServerCallContext context)
    {
        Check(request.Selector);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, hub.EnsureRunning());
        LogSubscription subscription = hub.Subscribe(request.Selector, request.Options);
        try
        {
            while (await subscription.Published.WaitToReadAsync(either.Token).ConfigureAwait(false))
            {
                var message = new SubscribeLogsMessage();
                while (message.Messages.Count < BatchLines && subscription.Published.TryRead(out PublishLogsMessage? logs))
                {
                    message.Messages.Add(logs.Messages);
                }
                if (message.Messages.Count > 0)
                {
                    await responseStream.WriteAsync(message, either.Token).ConfigureAwait(false);
                }
            }
            if (subscription.Shortfall() is { } shortfall)
            {
                throw new RpcException(new Status(StatusCode.Unknown, shortfall));
            }
        }
        catch (OperationCanceledException) when (context.CancellationToken.IsCancellationRequested)
        {
            // The client has read enough.
        }
        catch (OperationCanceledException)
        {
            throw new RpcException(new Status(StatusCode.Unavailable, "the manager stopped brokering logs; ask again"));
        }
        finally
        {
            hub.Unsubscribe(subscription);
        }
    }

    private static void Check(LogSelector? selector)
    {
        if (selector is null)
        {
            throw new RpcException(new Status(StatusCode.InvalidArgument, "log selector must be provided"));
        }
        if (selector.ServiceIds.Count + selector.TaskIds.Count + selector.NodeIds.Count == 0)
        {
            throw new RpcException(new Status(StatusCode.InvalidArgument, "log selector must not be empty"));
        }
    }
}
