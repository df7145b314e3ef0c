using System.Threading.Channels;
using Docker.Swarmkit.V1;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using Skep.Agent.Tasks;

namespace Skep.Agent.Session;

/// <summary>Sends the logs the managers ask for. A slow manager slows the reading down; nothing piles up here.</summary>
internal sealed class LogSubscriptions(LogBroker.LogBrokerClient client, string manager, Worker worker, ILogger logger)
{
    private const int MaxSubscriptions = 256;
    private const int QueueLength = 256;
    private const int MaxBatch = 128;
    private const int MaxBatchSizeBytes = 512 * 1024;

    private static readonly TimeSpan FarewellTimeout = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, CancellationTokenSource> _open = [];

    /// <summary>Serves subscriptions until it is cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var call = client.ListenSubscriptions(new ListenSubscriptionsRequest(), cancellationToken: cancellationToken);
        try
        {
            while (await call.ResponseStream.MoveNext(cancellationToken))
            {
                Handle(call.ResponseStream.Current, cancellationToken);
            }
        }
        catch (RpcException e) when (e.StatusCode == StatusCode.Unimplemented)
        {
            SessionLog.NoLogBroker(logger, manager);
            await Task.Delay(Timeout.Infinite, cancellationToken);
        }

        throw new SessionException("the manager ended the stream of log subscriptions");
    }

    private void Handle(SubscriptionMessage message, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (message.Close)
            {
                if (_open.Remove(message.Id, out var closed))
                {
                    closed.Cancel();
                }

                return;
            }

            if (_open.ContainsKey(message.Id))
            {
                return;
            }

            if (_open.Count >= MaxSubscriptions)
            {
                SessionLog.LogsFailed(logger, message.Id, $"there are {MaxSubscriptions} subscriptions already");
                return;
            }

            var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            _open[message.Id] = ending;
            _ = ServeAsync(message, ending);
        }
    }

    private async Task ServeAsync(SubscriptionMessage subscription, CancellationTokenSource ending)
    {
        try
        {
            await PublishAsync(subscription, ending.Token);
        }
        catch (Exception e) when (e is not OperationCanceledException || !ending.IsCancellationRequested)
        {
            if (!ending.IsCancellationRequested)
            {
                SessionLog.LogsFailed(logger, subscription.Id, e.Message);
            }
        }
        catch (OperationCanceledException)
        {
            // Closed by the manager, or the session is over.
        }
        finally
        {
            lock (_gate)
            {
                _open.Remove(subscription.Id);
            }

            ending.Dispose();
        }
    }

    private async Task PublishAsync(SubscriptionMessage subscription, CancellationToken cancellationToken)
    {
        // The call is ended in words rather than cancelled, so that the broker learns that this node is done.
        using var call = client.PublishLogs(cancellationToken: CancellationToken.None);
        var queue = Channel.CreateBounded<LogMessage>(QueueLength);
        var reading = ReadAllAsync(subscription, queue.Writer, cancellationToken);
        try
        {
            await SendAsync(subscription.Id, queue.Reader, call.RequestStream, cancellationToken);
            await reading;
        }
        finally
        {
            await call.RequestStream.WriteAsync(new PublishLogsMessage { SubscriptionId = subscription.Id, Close = true }, CancellationToken.None);
            await call.RequestStream.CompleteAsync();

            // Disposing the call at once would take back what is still on its way.
            await call.ResponseAsync.WaitAsync(FarewellTimeout, CancellationToken.None);
        }
    }

    private static async Task SendAsync(
        string id, ChannelReader<LogMessage> queue, IClientStreamWriter<PublishLogsMessage> stream, CancellationToken cancellationToken)
    {
        while (await queue.WaitToReadAsync(cancellationToken))
        {
            var batch = new PublishLogsMessage { SubscriptionId = id };
            var sizeBytes = 0;
            while (batch.Messages.Count < MaxBatch && sizeBytes < MaxBatchSizeBytes && queue.TryRead(out var message))
            {
                batch.Messages.Add(message);
                sizeBytes += message.Data.Length;
            }

            await stream.WriteAsync(batch, cancellationToken);
        }
    }

    private async Task ReadAllAsync(SubscriptionMessage subscription, ChannelWriter<LogMessage> queue, CancellationToken cancellationToken)
    {
        var options = subscription.Options ?? new LogSubscriptionOptions();
        var known = new HashSet<string>(StringComparer.Ordinal);
        var readers = new List<Task>();
        var gate = new Lock();
        void Begin(TaskManager manager)
        {
            lock (gate)
            {
                if (Matches(subscription.Selector, manager.Current) && known.Add(manager.Current.Id))
                {
                    readers.Add(ReadAsync(subscription.Id, manager, options, queue, cancellationToken));
                }
            }
        }

        if (options.Follow)
        {
            worker.Added += Begin;
        }

        try
        {
            foreach (var manager in worker.Managers)
            {
                Begin(manager);
            }

            if (options.Follow)
            {
                await Task.Delay(Timeout.Infinite, cancellationToken);
            }

            await Task.WhenAll(readers);
        }
        finally
        {
            worker.Added -= Begin;
            queue.TryComplete();
        }
    }

    private async Task ReadAsync(
        string id, TaskManager manager, LogSubscriptionOptions options, ChannelWriter<LogMessage> queue, CancellationToken cancellationToken)
    {
        if (manager.Controller is not { } controller)
        {
            return;
        }

        var task = manager.Current;
        var context = new LogContext { ServiceId = task.ServiceId, NodeId = task.NodeId, TaskId = task.Id };
        try
        {
            await controller.LogsAsync(
                options,
                (message, token) =>
                {
                    message.Context = context;
                    return queue.WriteAsync(message, token);
                },
                cancellationToken);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested && e is not ChannelClosedException)
        {
            SessionLog.LogsFailed(logger, id, $"reading the log of task {task.Id}: {e.Message}");
        }
        catch (Exception e) when (e is OperationCanceledException or ChannelClosedException)
        {
            // Nobody listens any more.
        }
    }

    private static bool Matches(LogSelector? selector, SwarmTask task) => selector is not null
        && (selector.TaskIds.Contains(task.Id) || selector.ServiceIds.Contains(task.ServiceId) || selector.NodeIds.Contains(task.NodeId));
}
