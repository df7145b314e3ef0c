using Docker.Swarmkit.V1;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.Extensions.Logging;
using Skep.Agent.Tasks;

namespace Skep.Agent.Session;

/// <summary>
/// One registration with a manager: description in, then heartbeats, session messages, assignments, reports and logs side
/// by side. The first of them to fail ends it all. Source: moby/swarmkit agent/session.go.
/// </summary>
internal sealed class ManagerSession(
    GrpcChannel channel, string manager, StatusReports reports, Worker worker, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan ReportTimeout = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan ShortestPeriod = TimeSpan.FromMilliseconds(100);

    private readonly Dispatcher.DispatcherClient _client = new(channel);

    /// <summary>The id the manager gave.</summary>
    public string Id { get; private set; } = "";

    /// <summary>Runs until something fails or the token is cancelled; always ends with an exception.</summary>
    /// <param name="request">Description, and the id of the session before.</param>
    /// <param name="onMessage">Handles a session message, the first included.</param>
    /// <param name="onRegistered">Called once the manager has taken the node in.</param>
    /// <param name="untilChanged">Something beside the protocol that ends the session by throwing.</param>
    /// <param name="cancellationToken">Ends the session.</param>
    public async Task RunAsync(
        SessionRequest request,
        Func<SessionMessage, CancellationToken, Task> onMessage,
        Action onRegistered,
        Func<CancellationToken, Task> untilChanged,
        CancellationToken cancellationToken)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var call = _client.Session(request, cancellationToken: ending.Token);
        var messages = call.ResponseStream;
        if (!await FirstAsync(messages, ending))
        {
            throw new SessionException("the manager ended the session before it began");
        }

        Id = messages.Current.SessionId;
        await onMessage(messages.Current, ending.Token);
        SessionLog.Registered(logger, manager, Id);
        onRegistered();

        Task[] parts =
        [
            ListenAsync(messages, onMessage, ending.Token),
            HeartbeatAsync(ending.Token),
            AssignmentsAsync(ending.Token),
            ReportAsync(ending.Token),
            new LogSubscriptions(new LogBroker.LogBrokerClient(channel), manager, worker, logger).RunAsync(ending.Token),
            untilChanged(ending.Token),
        ];
        var first = await Task.WhenAny(parts);
        await ending.CancelAsync();
        await Task.WhenAll(parts).ContinueWith(_ => { }, TaskScheduler.Default);
        await first;
        throw new SessionException("the session ended");
    }

    private async Task<bool> FirstAsync(IAsyncStreamReader<SessionMessage> messages, CancellationTokenSource ending)
    {
        try
        {
            return await messages.MoveNext(ending.Token).WaitAsync(CallTimeout, time, ending.Token);
        }
        catch (TimeoutException)
        {
            await ending.CancelAsync();
            throw new SessionException("session initiation timed out");
        }
    }

    private static async Task ListenAsync(
        IAsyncStreamReader<SessionMessage> messages, Func<SessionMessage, CancellationToken, Task> onMessage, CancellationToken cancellationToken)
    {
        while (await messages.MoveNext(cancellationToken))
        {
            await onMessage(messages.Current, cancellationToken);
        }

        throw new SessionException("the manager ended the session");
    }

    private async Task HeartbeatAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var answer = await CallAsync(
                token => _client.HeartbeatAsync(new HeartbeatRequest { SessionId = Id }, cancellationToken: token), CallTimeout, cancellationToken);
            var period = answer.Period?.ToTimeSpan() ?? TimeSpan.Zero;
            await Task.Delay(period > ShortestPeriod ? period : ShortestPeriod, time, cancellationToken);
        }
    }

    private async Task AssignmentsAsync(CancellationToken cancellationToken)
    {
        await foreach (var message in new AssignmentStream(_client, Id).ReadAsync(cancellationToken))
        {
            await worker.ApplyAsync(message, cancellationToken);
        }
    }

    private async Task ReportAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var batch = await reports.NextBatchAsync(cancellationToken);
            try
            {
                await SendAsync(batch, cancellationToken);
            }
            catch (RpcException e) when (e.StatusCode == StatusCode.NotFound)
            {
                // One of them is of a task the manager has forgotten; the others must not be lost with it.
                await SendOneByOneAsync(batch, cancellationToken);
            }
        }
    }

    private async Task SendOneByOneAsync(IReadOnlyList<KeyValuePair<string, TaskStatus>> batch, CancellationToken cancellationToken)
    {
        foreach (var one in batch)
        {
            try
            {
                await SendAsync([one], cancellationToken);
            }
            catch (RpcException e) when (e.StatusCode == StatusCode.NotFound)
            {
                reports.Acknowledge([one]);
            }
        }
    }

    private async Task SendAsync(IReadOnlyList<KeyValuePair<string, TaskStatus>> batch, CancellationToken cancellationToken)
    {
        var request = new UpdateTaskStatusRequest { SessionId = Id };
        request.Updates.AddRange(batch.Select(b => new UpdateTaskStatusRequest.Types.TaskStatusUpdate { TaskId = b.Key, Status = b.Value }));
        await CallAsync(token => _client.UpdateTaskStatusAsync(request, cancellationToken: token), ReportTimeout, cancellationToken);
        reports.Acknowledge(batch);
    }

    private async Task<T> CallAsync<T>(Func<CancellationToken, AsyncUnaryCall<T>> begin, TimeSpan timeout, CancellationToken cancellationToken)
    {
        using var timer = new CancellationTokenSource(timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timer.Token);
        using var call = begin(either.Token);
        try
        {
            return await call;
        }
        catch (Exception e) when (timer.IsCancellationRequested && !cancellationToken.IsCancellationRequested && e is RpcException or OperationCanceledException)
        {
            throw new SessionException($"the manager did not answer within {timeout.TotalSeconds} s");
        }
    }
}
