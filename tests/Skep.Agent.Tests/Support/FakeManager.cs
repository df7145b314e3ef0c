using System.Collections.Concurrent;
using System.Net;
using System.Threading.Channels;
using Docker.Swarmkit.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Skep.Identity.Files;

namespace Skep.Agent.Tests.Support;

/// <summary>A manager whose every answer the test decides.</summary>
internal sealed class FakeManager : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private readonly ConcurrentDictionary<object, SemaphoreSlim> _turns = new();
    private WebApplication? _server;

    /// <summary>Registrations as they came in.</summary>
    public Watched<SessionRequest> Sessions { get; } = new("a session");

    /// <summary>Session ids of the heartbeats.</summary>
    public Watched<string> Heartbeats { get; } = new("a heartbeat");

    /// <summary>Reports as they came in, those that were refused included.</summary>
    public Watched<UpdateTaskStatusRequest> Reports { get; } = new("a report");

    /// <summary>Logs as they came in.</summary>
    public Watched<PublishLogsMessage> Logs { get; } = new("a log message");

    /// <summary>Openings of the stream of assignments.</summary>
    public Watched<string> AssignmentCalls { get; } = new("a call of Assignments");

    public Channel<SessionMessage> Messages { get; set; } = Channel.CreateUnbounded<SessionMessage>();

    public Channel<AssignmentsMessage> Assignments { get; set; } = Channel.CreateUnbounded<AssignmentsMessage>();

    public Channel<TasksMessage> Tasks { get; } = Channel.CreateUnbounded<TasksMessage>();

    public Channel<SubscriptionMessage> Subscriptions { get; } = Channel.CreateUnbounded<SubscriptionMessage>();

    public TimeSpan Period { get; set; } = TimeSpan.FromSeconds(5);

    public Func<StatusCode> OnSession { get; set; } = () => StatusCode.OK;

    public Func<StatusCode> OnHeartbeat { get; set; } = () => StatusCode.OK;

    public Func<UpdateTaskStatusRequest, StatusCode> OnReport { get; set; } = _ => StatusCode.OK;

    /// <summary>What every session and every stream of assignments begins with, before what the test writes.</summary>
    public (Func<SessionMessage> Session, Func<AssignmentsMessage> Assignments)? Greeting { get; set; }

    public bool KnowsAssignments { get; set; } = true;

    public bool KnowsLogs { get; set; } = true;

    public string Address { get; private set; } = "";

    public KnownManager Known => new("m1", Address);

    public static async Task<FakeManager> StartAsync()
    {
        var manager = new FakeManager();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddGrpc();
        builder.Services.AddSingleton(manager);
        builder.WebHost.ConfigureKestrel(k => k.Listen(IPAddress.Loopback, 0, l => l.Protocols = HttpProtocols.Http2));
        manager._server = builder.Build();
        manager._server.MapGrpcService<DispatcherService>();
        manager._server.MapGrpcService<BrokerService>();
        await manager._server.StartAsync();
        manager.Address = new Uri(manager._server.Urls.First()).Authority;
        return manager;
    }

    public static GrpcChannel Open(KnownManager manager) => GrpcChannel.ForAddress($"http://{manager.Address}");

    public async ValueTask DisposeAsync()
    {
        Messages.Writer.TryComplete();
        Assignments.Writer.TryComplete();
        Subscriptions.Writer.TryComplete();
        await _server!.StopAsync(new CancellationTokenSource(TimeSpan.FromSeconds(2)).Token);
        await _server.DisposeAsync();
    }

    public void Assign(AssignmentsMessage.Types.Type type, string appliesTo, string resultsIn, params IEnumerable<AssignmentChange> changes) =>
        Assignments.Writer.TryWrite(new AssignmentsMessage { Type = type, AppliesTo = appliesTo, ResultsIn = resultsIn, Changes = { changes } });

    public static AssignmentChange Give(SwarmTask task) => new() { Assignment = new Assignment { Task = task } };

    public static AssignmentChange Take(SwarmTask task) => new()
    {
        Action = AssignmentChange.Types.AssignmentAction.Remove,
        Assignment = new Assignment { Task = new SwarmTask { Id = task.Id } },
    };

    /// <summary>Waits until the task was reported to be in the state.</summary>
    public async Task<TaskStatus> UntilReportedAsync(string taskId, TaskState state) =>
        (await Reports.UntilAsync(r => r.Updates.Any(u => u.TaskId == taskId && u.Status.State == state), $"{taskId} reported {state}"))
        .Updates.First(u => u.TaskId == taskId && u.Status.State == state).Status;

    // One reader at a time: what a call that is over had not taken yet is the next one's.
    private async Task PourAsync<T>(ChannelReader<T> from, IServerStreamWriter<T> to, CancellationToken cancellationToken)
    {
        var turn = _turns.GetOrAdd(from, _ => new SemaphoreSlim(1));
        await turn.WaitAsync(cancellationToken);
        try
        {
            while (await from.WaitToReadAsync(cancellationToken))
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (from.TryRead(out var message))
                {
                    await to.WriteAsync(message, cancellationToken);
                }
            }
        }
        finally
        {
            turn.Release();
        }
    }

    private static void Check(StatusCode code)
    {
        if (code != StatusCode.OK)
        {
            throw new RpcException(new Status(code, "as the test wants it"));
        }
    }

    private sealed class DispatcherService(FakeManager manager) : Dispatcher.DispatcherBase
    {
        public override async Task Session(SessionRequest request, IServerStreamWriter<SessionMessage> responseStream, ServerCallContext context)
        {
            manager.Sessions.Add(request);
            Check(manager.OnSession());
            if (manager.Greeting is { } greeting)
            {
                await responseStream.WriteAsync(greeting.Session());
            }

            await manager.PourAsync(manager.Messages.Reader, responseStream, context.CancellationToken);
        }

        public override Task<HeartbeatResponse> Heartbeat(HeartbeatRequest request, ServerCallContext context)
        {
            manager.Heartbeats.Add(request.SessionId);
            Check(manager.OnHeartbeat());
            return Task.FromResult(new HeartbeatResponse { Period = Duration.FromTimeSpan(manager.Period) });
        }

        public override Task<UpdateTaskStatusResponse> UpdateTaskStatus(UpdateTaskStatusRequest request, ServerCallContext context)
        {
            var code = manager.OnReport(request);
            manager.Reports.Add(request);
            Check(code);
            return Task.FromResult(new UpdateTaskStatusResponse());
        }

        public override async Task Assignments(AssignmentsRequest request, IServerStreamWriter<AssignmentsMessage> responseStream, ServerCallContext context)
        {
            Check(manager.KnowsAssignments ? StatusCode.OK : StatusCode.Unimplemented);
            manager.AssignmentCalls.Add(request.SessionId);
            if (manager.Greeting is { } greeting)
            {
                await responseStream.WriteAsync(greeting.Assignments());
            }

            await manager.PourAsync(manager.Assignments.Reader, responseStream, context.CancellationToken);
        }

#pragma warning disable CS0672, CS0612 // What managers of SwarmKit 1.12 have.
        public override async Task Tasks(TasksRequest request, IServerStreamWriter<TasksMessage> responseStream, ServerCallContext context)
        {
            await foreach (var message in manager.Tasks.Reader.ReadAllAsync(context.CancellationToken))
            {
                await responseStream.WriteAsync(message);
            }
        }
#pragma warning restore CS0672, CS0612
    }

    private sealed class BrokerService(FakeManager manager) : LogBroker.LogBrokerBase
    {
        public override async Task ListenSubscriptions(
            ListenSubscriptionsRequest request, IServerStreamWriter<SubscriptionMessage> responseStream, ServerCallContext context)
        {
            Check(manager.KnowsLogs ? StatusCode.OK : StatusCode.Unimplemented);
            await foreach (var message in manager.Subscriptions.Reader.ReadAllAsync(context.CancellationToken))
            {
                await responseStream.WriteAsync(message);
            }
        }

        public override async Task<PublishLogsResponse> PublishLogs(IAsyncStreamReader<PublishLogsMessage> requestStream, ServerCallContext context)
        {
            while (await requestStream.MoveNext(context.CancellationToken))
            {
                manager.Logs.Add(requestStream.Current);
            }

            return new PublishLogsResponse();
        }
    }
}

/// <summary>Things that come in, and waiting for one of them.</summary>
internal sealed class Watched<T>(string what)
{
    private readonly Lock _gate = new();
    private readonly List<T> _all = [];
    private TaskCompletionSource _next = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public IReadOnlyList<T> All
    {
        get
        {
            lock (_gate)
            {
                return [.. _all];
            }
        }
    }

    public void Add(T item)
    {
        TaskCompletionSource next;
        lock (_gate)
        {
            _all.Add(item);
            (next, _next) = (_next, new(TaskCreationOptions.RunContinuationsAsynchronously));
        }

        next.SetResult();
    }

    /// <summary>Waits for the one that fits, those that came before included.</summary>
    public async Task<T> UntilAsync(Func<T, bool> fits, string description)
    {
        using var deadline = new CancellationTokenSource(FakeManager.Patience);
        while (true)
        {
            Task next;
            lock (_gate)
            {
                if (_all.Find(i => fits(i)) is { } found)
                {
                    return found;
                }

                next = _next.Task;
            }

            try
            {
                await next.WaitAsync(deadline.Token);
            }
            catch (OperationCanceledException)
            {
                Assert.Fail($"{description} did not come; of {what} there were {All.Count}: {string.Join("\n", All)}");
            }
        }
    }

    /// <summary>Waits until so many have come.</summary>
    public async Task CountAsync(int count)
    {
        var seen = 0;
        using var deadline = new CancellationTokenSource(FakeManager.Patience);
        while (seen < count)
        {
            Task next;
            lock (_gate)
            {
                (seen, next) = (_all.Count, _next.Task);
            }

            if (seen < count)
            {
                try
                {
                    await next.WaitAsync(deadline.Token);
                }
                catch (OperationCanceledException)
                {
                    Assert.Fail($"{what} number {count} did not come; there were {seen}");
                }
            }
        }
    }
}
