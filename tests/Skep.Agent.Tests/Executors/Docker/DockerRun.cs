using Docker.Swarmkit.V1;
using Google.Protobuf;
using Microsoft.Extensions.Logging.Abstractions;
using Skep.Agent.Executors;
using Skep.Agent.Executors.Docker;
using Skep.Api;
using Skep.TestEngine;

namespace Skep.Agent.Tests.Executors.Docker;

/// <summary>An executor on the tests' engine with a state directory of its own, and the tasks it is given.</summary>
internal sealed class DockerRun : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly List<IController> _controllers = [];
    private readonly bool _ownsDirectory;

    public DockerRun(DockerEngine engine, string? stateDirectory = null)
    {
        Engine = engine;
        _ownsDirectory = stateDirectory is null;
        StateDirectory = stateDirectory ?? Directory.CreateTempSubdirectory("skep-agent-docker-").FullName;
        Executor = new DockerExecutor(
            new DockerExecutorOptions { Socket = engine.Socket, StateDirectory = StateDirectory }, NullLogger<DockerExecutor>.Instance);
    }

    public DockerEngine Engine { get; }

    public string StateDirectory { get; }

    public DockerExecutor Executor { get; }

    public Given Files { get; } = new();

    public static CancellationToken Within(TimeSpan? patience = null) => new CancellationTokenSource(patience ?? Patience).Token;

    public static SwarmTask NewTask(Action<SwarmTask>? change = null, params IEnumerable<string> command)
    {
        var task = new SwarmTask
        {
            Id = Ids.New(),
            ServiceId = Ids.New(),
            NodeId = "node1",
            Slot = 1,
            ServiceAnnotations = new Annotations { Name = "web" },
            Spec = new TaskSpec { Container = new ContainerSpec { Image = "busybox", StopGracePeriod = new() { Seconds = 1 } } },
            Status = new TaskStatus { State = TaskState.Assigned },
            DesiredState = TaskState.Running,
        };
        task.Spec.Container.Command.AddRange(command);
        change?.Invoke(task);
        return task;
    }

    public static SwarmTask Shell(string script, Action<SwarmTask>? change = null) => NewTask(change, "sh", "-c", script);

    public IController Controller(SwarmTask task)
    {
        var controller = Executor.CreateController(task, Files);
        _controllers.Add(controller);
        return controller;
    }

    /// <summary>Runs the task to its end and returns what it wrote.</summary>
    public async Task<string> OutputOfAsync(SwarmTask task)
    {
        var controller = Controller(task);
        await controller.PrepareAsync(Within());
        await controller.StartAsync(Within());
        try
        {
            await controller.WaitAsync(Within());
        }
        catch (TaskExitedException e)
        {
            return $"{await LogOfAsync(controller)}{e.Message}";
        }

        return await LogOfAsync(controller);
    }

    public static async Task<string> LogOfAsync(IController controller, LogSubscriptionOptions? options = null) =>
        string.Concat((await MessagesOfAsync(controller, options)).Select(m => m.Data.ToStringUtf8()));

    public static async Task<List<LogMessage>> MessagesOfAsync(IController controller, LogSubscriptionOptions? options = null)
    {
        var messages = new List<LogMessage>();
        await controller.LogsAsync(
            options ?? new LogSubscriptionOptions(),
            (message, _) =>
            {
                messages.Add(message);
                return ValueTask.CompletedTask;
            },
            Within());
        return messages;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var controller in _controllers)
        {
            try
            {
                await controller.RemoveAsync(Within());
            }
            catch (Exception e) when (e is TaskTemporaryException or EngineException)
            {
                // The fixture clears the engine at its end.
            }

            await controller.DisposeAsync();
        }

        await Executor.DisposeAsync();
        if (_ownsDirectory)
        {
            Directory.Delete(StateDirectory, recursive: true);
        }
    }

    /// <summary>Secrets and configs by id.</summary>
    public sealed class Given : ITaskDependencies
    {
        public Dictionary<string, string> ById { get; } = [];

        public ReadOnlyMemory<byte> GetSecret(SecretReference reference) => Get(reference.SecretId);

        public ReadOnlyMemory<byte> GetConfig(ConfigReference reference) => Get(reference.ConfigId);

        private ReadOnlyMemory<byte> Get(string id) => ById.TryGetValue(id, out var text)
            ? ByteString.CopyFromUtf8(text).Memory
            : throw new TaskRejectedException($"{id} was not given to this node");
    }
}
