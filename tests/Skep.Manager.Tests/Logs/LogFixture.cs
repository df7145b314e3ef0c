using Docker.Swarmkit.V1;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.Extensions.Logging.Abstractions;
using Skep.Manager.Logs;
using Skep.Manager.Tests.Support;
using Skep.Store;

namespace Skep.Manager.Tests.Logs;

/// <summary>A log broker over a store in memory, and the callers' sides of it.</summary>
internal sealed class LogFixture : IAsyncDisposable
{
    private LogFixture()
    {
        Hub = new(Store, TimeProvider.System, NullLogger<LogHub>.Instance);
        Clients = new(Hub);
        Agents = new(Hub);
    }

    public ClusterStore Store { get; } = new(TimeProvider.System);

    public LogHub Hub { get; }

    public LogsService Clients { get; }

    public LogBrokerService Agents { get; }

    public static async Task<LogFixture> StartedAsync()
    {
        var fixture = new LogFixture();
        fixture.Hub.Start();
        long deadline = Environment.TickCount64 + 20_000;
        while (!fixture.IsRunning())
        {
            Assert.True(Environment.TickCount64 < deadline, "timed out: the hub starts");
            await Task.Yield();
        }
        return fixture;
    }

    public async Task AddTaskAsync(string id, string nodeId, TaskState state = TaskState.Running) =>
        await Store.UpdateAsync(tx => tx.Create(new SwarmTask { Id = id, ServiceId = "service", NodeId = nodeId, Status = new() { State = state } }));

    public LogStream<SubscribeLogsMessage> Subscribe(LogSelector selector, LogSubscriptionOptions? options = null, int capacity = 1_000)
    {
        var stream = new LogStream<SubscribeLogsMessage>(Call.From("client"), capacity);
        stream.Ended = Clients.SubscribeLogs(new() { Selector = selector, Options = options }, stream.Messages, stream.Call);
        return stream;
    }

    public LogStream<SubscriptionMessage> Listen(string nodeId)
    {
        var stream = new LogStream<SubscriptionMessage>(Call.From(nodeId), 1_000);
        stream.Ended = Agents.ListenSubscriptions(new(), stream.Messages, stream.Call);
        return stream;
    }

    public LogStream<PublishLogsMessage> Publish(string nodeId)
    {
        var stream = new LogStream<PublishLogsMessage>(Call.From(nodeId), 1);
        stream.Ended = Agents.PublishLogs(stream.Messages, stream.Call);
        return stream;
    }

    public static PublishLogsMessage Line(string subscriptionId, string nodeId, string text) => new()
    {
        SubscriptionId = subscriptionId,
        Messages =
        {
            new LogMessage { Context = new() { NodeId = nodeId }, Stream = Docker.Swarmkit.V1.LogStream.Stdout, Data = ByteString.CopyFromUtf8(text) },
        },
    };

    public async ValueTask DisposeAsync()
    {
        await Hub.DisposeAsync();
        Store.Dispose();
    }

    private bool IsRunning()
    {
        try
        {
            Hub.EnsureRunning();
            return true;
        }
        catch (RpcException)
        {
            return false;
        }
    }
}

/// <summary>A stream as its caller has it.</summary>
internal sealed class LogStream<T>(Call call, int capacity)
    where T : class
{
    public Call Call => call;

    public Stream<T> Messages { get; } = new(capacity);

    public Task Ended { get; set; } = Task.CompletedTask;

    public Task SendAsync(T message) => Messages.WriteAsync(message);

    public async Task<Status> EndAsync(string phase) => (await Assert.ThrowsAsync<RpcException>(() => Ended.Within(phase))).Status;
}
