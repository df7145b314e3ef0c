using System.Globalization;
using System.Runtime.InteropServices;
using Docker.Swarmkit.V1;
using Microsoft.Extensions.Logging;
using Skep.Api;
using Skep.Supervisor.Protocol;

namespace Skep.Agent.Executors.Process;

/// <summary>
/// Runs tasks of the generic runtime `process`: each is a process of the host in a cgroup of its own, kept by the
/// node's supervisor, which outlives this program.
/// </summary>
public sealed class ProcessExecutor : IExecutor
{
    private readonly ProcessExecutorOptions _options;
    private readonly SupervisorClient _supervisor;

    /// <summary>Makes the executor; the supervisor is started with the first task.</summary>
    /// <param name="options">What the node allows.</param>
    /// <param name="loggers">Where it is told what happens.</param>
    public ProcessExecutor(ProcessExecutorOptions options, ILoggerFactory loggers)
    {
        _options = options;
        _supervisor = new SupervisorClient(new SupervisorLauncher(
            options.StateDir, options.SupervisorProgram ?? SupervisorLauncher.DefaultProgram, options.SupervisorIdle,
            loggers.CreateLogger<ProcessExecutor>()));
    }

    private string TasksFolder => Path.Combine(_options.StateDir, "processes");

    /// <inheritdoc/>
    public bool Handles(SwarmTask task) => task.Spec?.Generic?.Kind == NodeTraits.ProcessRuntime;

    /// <summary>Platform and resources of the machine, and the runtime; never an engine version.</summary>
    public Task<NodeDescription> DescribeAsync(CancellationToken cancellationToken) => Task.FromResult(new NodeDescription
    {
        Hostname = Environment.MachineName,
        Platform = new Platform
        {
            Os = "linux",
            Architecture = RuntimeInformation.OSArchitecture switch
            {
                Architecture.X64 => "x86_64",
                Architecture.Arm64 => "aarch64",
                var other => other.ToString().ToLowerInvariant(),
            },
        },
        Resources = new Resources
        {
            NanoCpus = Environment.ProcessorCount * 1_000_000_000L,
            MemoryBytes = MemoryOfMachine(File.ReadLines("/proc/meminfo")),
        },
        Engine = new EngineDescription { Plugins = { NodeTraits.NewProcessRuntimePlugin() } },
    });

    /// <summary>Nothing of a node's object matters to processes of the host.</summary>
    public Task ConfigureAsync(Node node, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public async Task RemoveOrphansAsync(IReadOnlySet<string> knownTaskIds, CancellationToken cancellationToken)
    {
        // Every task the supervisor has, running or ended, has a folder: without one there is nobody to ask.
        if (!Directory.Exists(TasksFolder))
        {
            return;
        }
        foreach (var folder in Directory.GetDirectories(TasksFolder))
        {
            var id = Path.GetFileName(folder);
            if (!knownTaskIds.Contains(id))
            {
                await SupervisorErrors.TranslateAsync(() => _supervisor.RemoveAsync(id, cancellationToken));
            }
        }
    }

    /// <inheritdoc/>
    public IController CreateController(SwarmTask task, ITaskDependencies dependencies) =>
        new ProcessController(task, dependencies, _options, _supervisor);

    /// <summary>Lets go of the supervisor, which keeps the tasks.</summary>
    public ValueTask DisposeAsync() => _supervisor.DisposeAsync();

    private static long MemoryOfMachine(IEnumerable<string> memInfo)
    {
        // MemTotal:       24683136 kB
        var total = memInfo.FirstOrDefault(line => line.StartsWith("MemTotal:", StringComparison.Ordinal));
        return total?.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [_, var number, ..]
            && long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var kib) ? kib * 1024 : 0;
    }
}
