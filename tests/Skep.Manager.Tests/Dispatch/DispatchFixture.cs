using Docker.Swarmkit.V1;
using Grpc.Core;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Skep.Manager.Dispatch;
using Skep.Manager.Tests.Support;
using Skep.Store;
using TaskStatus = Docker.Swarmkit.V1.TaskStatus;

namespace Skep.Manager.Tests.Dispatch;

/// <summary>A dispatcher over a store in memory, on a clock that stands still until it is moved.</summary>
internal sealed class DispatchFixture : IAsyncDisposable
{
    public const string Manager = "manager";
    public const string Address = "192.0.2.1:4242";

    public DispatchFixture(DispatcherOptions? options = null)
    {
        Store = new(Time);
        Dispatcher = new(Store, Manager, Time, new Random(1), NullLogger<NodeDispatcher>.Instance, options);
        Service = new(Dispatcher, _ => Address);
    }

    public FakeTimeProvider Time { get; } = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));

    public ClusterStore Store { get; }

    public NodeDispatcher Dispatcher { get; }

    public DispatcherService Service { get; }

    public static async Task<DispatchFixture> StartedAsync(params string[] nodes)
    {
        var fixture = new DispatchFixture();
        await fixture.AddNodesAsync(nodes);
        await fixture.StartAsync();
        return fixture;
    }

    public async Task StartAsync()
    {
        Dispatcher.Start();
        long deadline = Environment.TickCount64 + 20_000;
        while (!IsRunning())
        {
            Assert.True(Environment.TickCount64 < deadline, "timed out: the dispatcher starts");
            await Task.Yield();
        }
    }

    public async Task AddNodesAsync(params string[] nodes) => await Store.BatchAsync(nodes, static (tx, id) => tx.Create(
        new Node { Id = id, Spec = new(), Status = new() { State = NodeStatus.Types.State.Ready } }));

    public async Task AddTaskAsync(
        string id, string nodeId, TaskState state = TaskState.Assigned, TaskState desired = TaskState.Running, TaskSpec? spec = null) =>
        await Store.UpdateAsync(tx => tx.Create(new SwarmTask
        {
            Id = id,
            NodeId = nodeId,
            ServiceId = "service",
            Slot = 1,
            Spec = spec ?? new(),
            Status = new() { State = state },
            DesiredState = desired,
        }));

    public async Task ChangeTaskAsync(string id, Action<SwarmTask> change) => await Store.UpdateAsync(tx =>
    {
        SwarmTask task = tx.Get<SwarmTask>(id)!.Clone();
        change(task);
        tx.Update(task);
    });

    public Node Node(string id) => Store.Read(view => view.Get<Node>(id))!;

    public TaskState StateOf(string taskId) => Store.Read(view => view.Get<SwarmTask>(taskId))!.Status.State;

    public OpenStream<SessionMessage> OpenSession(string nodeId, SessionRequest? request = null, string? remote = "10.0.0.7:40000")
    {
        var stream = new OpenStream<SessionMessage>(Call.From(nodeId, remote));
        stream.Ended = Service.Session(request ?? new(), stream.Messages, stream.Call);
        return stream;
    }

    public async Task<string> RegisterAsync(string nodeId)
    {
        OpenStream<SessionMessage> stream = OpenSession(nodeId);
        return (await stream.FirstAsync("registration of " + nodeId)).SessionId;
    }

    public OpenStream<AssignmentsMessage> OpenAssignments(string nodeId, string sessionId)
    {
        var stream = new OpenStream<AssignmentsMessage>(Call.From(nodeId));
        stream.Ended = Service.Assignments(new() { SessionId = sessionId }, stream.Messages, stream.Call);
        return stream;
    }

    public OpenStream<TasksMessage> OpenTasks(string nodeId, string sessionId)
    {
        var stream = new OpenStream<TasksMessage>(Call.From(nodeId));
#pragma warning disable CS0612, CS0618 // What agents of 1.12 call.
        stream.Ended = Service.Tasks(new() { SessionId = sessionId }, stream.Messages, stream.Call);
#pragma warning restore CS0612, CS0618
        return stream;
    }

    public async Task ReportAsync(string nodeId, string sessionId, string taskId, TaskState state, string message = "")
    {
        using Call call = Call.From(nodeId);
        await Service.UpdateTaskStatus(
            new()
            {
                SessionId = sessionId,
                Updates = { new UpdateTaskStatusRequest.Types.TaskStatusUpdate { TaskId = taskId, Status = new TaskStatus { State = state, Message = message } } },
            },
            call).Within("report of a status");
    }

    public async Task<TimeSpan> HeartbeatAsync(string nodeId, string sessionId)
    {
        using Call call = Call.From(nodeId);
        return (await Service.Heartbeat(new() { SessionId = sessionId }, call)).Period.ToTimeSpan();
    }

    public async ValueTask DisposeAsync()
    {
        await Dispatcher.DisposeAsync();
        Store.Dispose();
    }

    private bool IsRunning()
    {
        try
        {
            Dispatcher.EnsureRunning();
            return true;
        }
        catch (RpcException)
        {
            return false;
        }
    }
}

/// <summary>A stream as its caller has it.</summary>
internal sealed class OpenStream<T>(Call call)
    where T : class
{
    public Call Call => call;

    public Stream<T> Messages { get; } = new();

    public Task Ended { get; set; } = Task.CompletedTask;

    /// <summary>The first message, or whatever the call failed with.</summary>
    public async Task<T> FirstAsync(string phase)
    {
        Task<T> first = Messages.NextAsync(phase);
        if (await Task.WhenAny(first, Ended) == Ended)
        {
            await Ended;
        }
        return await first;
    }

    public async Task<Status> EndAsync(string phase) => (await Assert.ThrowsAsync<RpcException>(() => Ended.Within(phase))).Status;
}
