using System.Collections.Concurrent;
using Docker.Swarmkit.V1;
using Google.Protobuf;
using Skep.Agent.Executors;

namespace Skep.Agent.Tests.Support;

/// <summary>An executor that only remembers what it was asked; the test says how each task goes.</summary>
internal sealed class FakeExecutor : IExecutor
{
    public ConcurrentDictionary<string, FakeController> Controllers { get; } = new();

    public Watched<string> Calls { get; } = new("a call of a controller");

    public NodeDescription Description { get; set; } = new() { Engine = new EngineDescription { EngineVersion = "1.0" } };

    public ConcurrentQueue<Node> Configured { get; } = new();

    /// <summary>Runs in every call of a controller: its name, the controller, the call's token.</summary>
    public Func<string, FakeController, CancellationToken, Task> OnCall { get; set; } = (_, _, _) => Task.CompletedTask;

    public Func<SwarmTask, Exception?> Refuse { get; set; } = _ => null;

    public IReadOnlySet<string>? Known { get; private set; }

    public bool Handles(SwarmTask task) => true;

    public Task<NodeDescription> DescribeAsync(CancellationToken cancellationToken) => Task.FromResult(Description.Clone());

    public Task ConfigureAsync(Node node, CancellationToken cancellationToken)
    {
        Configured.Enqueue(node);
        return Task.CompletedTask;
    }

    public Task RemoveOrphansAsync(IReadOnlySet<string> knownTaskIds, CancellationToken cancellationToken)
    {
        Known = knownTaskIds;
        Calls.Add("orphans");
        return Task.CompletedTask;
    }

    public IController CreateController(SwarmTask task, ITaskDependencies dependencies)
    {
        if (Refuse(task) is { } refusal)
        {
            throw refusal;
        }

        return Controllers[task.Id] = new FakeController(this, task, dependencies);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}

internal sealed class FakeController(FakeExecutor executor, SwarmTask task, ITaskDependencies dependencies) : IController
{
    public SwarmTask Definition => task;

    public ITaskDependencies Dependencies => dependencies;

    /// <summary>Ends the task when it completes.</summary>
    public TaskCompletionSource Ending { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task UpdateAsync(SwarmTask task, CancellationToken cancellationToken) => Call("update", cancellationToken);

    public Task PrepareAsync(CancellationToken cancellationToken) => Call("prepare", cancellationToken);

    public Task StartAsync(CancellationToken cancellationToken) => Call("start", cancellationToken);

    public async Task WaitAsync(CancellationToken cancellationToken)
    {
        await Call("wait", cancellationToken);
        await Ending.Task.WaitAsync(cancellationToken);
    }

    public Task ShutdownAsync(CancellationToken cancellationToken) => Call("shutdown", cancellationToken);

    public Task TerminateAsync(CancellationToken cancellationToken) => Call("terminate", cancellationToken);

    public Task RemoveAsync(CancellationToken cancellationToken) => Call("remove", cancellationToken);

    public Task<ContainerStatus?> GetContainerStatusAsync(CancellationToken cancellationToken) =>
        Task.FromResult<ContainerStatus?>(new ContainerStatus { ContainerId = "c-" + task.Id, Pid = 7 });

    public Task<PortStatus?> GetPortStatusAsync(CancellationToken cancellationToken) => Task.FromResult<PortStatus?>(null);

    public async Task LogsAsync(
        LogSubscriptionOptions options, Func<LogMessage, CancellationToken, ValueTask> publish, CancellationToken cancellationToken)
    {
        for (var i = 0; i < 3; i++)
        {
            await publish(new LogMessage { Stream = LogStream.Stdout, Data = ByteString.CopyFromUtf8($"{task.Id} line {i}\n") }, cancellationToken);
        }

        if (options.Follow)
        {
            await Ending.Task.WaitAsync(cancellationToken);
        }
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private Task Call(string name, CancellationToken cancellationToken)
    {
        executor.Calls.Add($"{name} {task.Id}");
        return executor.OnCall(name, this, cancellationToken);
    }
}
