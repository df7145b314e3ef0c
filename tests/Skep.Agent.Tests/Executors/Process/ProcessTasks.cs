using System.Text;
using Docker.Swarmkit.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Microsoft.Extensions.Logging.Abstractions;
using Skep.Agent.Executors;
using Skep.Agent.Executors.Process;
using Skep.Supervisor.Protocol;
using Skep.V1;

namespace Skep.Agent.Tests.Executors.Process;

/// <summary>Tasks of the process runtime, and the node that runs them.</summary>
internal sealed class ProcessTasks : IAsyncDisposable
{
    private readonly CancellationTokenSource _deadline = new(TimeSpan.FromSeconds(90));
    private ProcessExecutor? _executor;

    public ProcessTasks(bool allowRoot = false)
    {
        Assert.SkipUnless(Environment.UserName == "root", "starting tasks as other users needs root");
        Options = new ProcessExecutorOptions
        {
            StateDir = Directory.CreateTempSubdirectory("skep-process-").FullName,
            AllowRootTasks = allowRoot,
            SupervisorIdle = TimeSpan.FromMilliseconds(500),
        };
    }

    public ProcessExecutorOptions Options { get; }

    public CancellationToken Ct => _deadline.Token;

    public ProcessExecutor Executor => _executor ??= new ProcessExecutor(Options, NullLoggerFactory.Instance);

    /// <summary>Forgets the executor as a killed agent does; the next call makes another.</summary>
    public async Task RestartAgent()
    {
        await Executor.DisposeAsync();
        _executor = null;
    }

    public static SwarmTask Task(string id, ProcessSpec spec, Action<SwarmTask>? change = null)
    {
        var task = new SwarmTask
        {
            Id = id,
            Spec = new TaskSpec
            {
                Generic = new GenericRuntimeSpec
                {
                    Kind = "process",
                    Payload = new Any { TypeUrl = ProcessRequest.TypeUrl, Value = spec.ToByteString() },
                },
            },
        };
        change?.Invoke(task);
        return task;
    }

    public static ProcessSpec Shell(string script) => new() { Command = { "/bin/sh", "-c", script } };

    public IController Controller(SwarmTask task, ITaskDependencies? dependencies = null) =>
        Executor.CreateController(task, dependencies ?? new Dependencies());

    public async Task<string> LogOf(IController controller, LogSubscriptionOptions options)
    {
        var text = new StringBuilder();
        await controller.LogsAsync(options, (message, _) =>
        {
            text.Append(message.Data.ToStringUtf8());
            return ValueTask.CompletedTask;
        }, Ct);
        return text.ToString();
    }

    public async ValueTask DisposeAsync()
    {
        await RestartAgent();
        await Executor.RemoveOrphansAsync(new HashSet<string>(), Ct);
        var client = new SupervisorClient(new SupervisorLauncher(
            Options.StateDir, SupervisorLauncher.DefaultProgram, Options.SupervisorIdle, NullLogger.Instance));
        var pid = (await client.WelcomeAsync(Ct)).Pid;
        await client.DisposeAsync();
        await Executor.DisposeAsync();
        try
        {
            using var supervisor = System.Diagnostics.Process.GetProcessById(pid);
            await supervisor.WaitForExitAsync(Ct);
        }
        catch (ArgumentException)
        {
        }
        Directory.Delete(Options.StateDir, recursive: true);
        _deadline.Dispose();
    }

    internal sealed class Dependencies : ITaskDependencies
    {
        public Dictionary<string, string> Contents { get; } = [];

        public ReadOnlyMemory<byte> GetSecret(SecretReference reference) => Encoding.UTF8.GetBytes(Contents[reference.SecretId]);

        public ReadOnlyMemory<byte> GetConfig(ConfigReference reference) => Encoding.UTF8.GetBytes(Contents[reference.ConfigId]);
    }
}
