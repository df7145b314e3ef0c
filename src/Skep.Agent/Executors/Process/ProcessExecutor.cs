using System.Collections.Concurrent;
using Docker.Swarmkit.V1;
using Microsoft.Extensions.Logging;
using Skep.Api;

namespace Skep.Agent.Executors.Process;

/// <summary>
/// Runs tasks of the generic runtime `process`: each is a process of the host in a cgroup of its own, kept by the
/// node's supervisor, which outlives this program.
/// </summary>
public sealed class ProcessExecutor : IExecutor
{
    private readonly ProcessExecutorOptions _options;
    private readonly SupervisorClient _supervisor;

    // Tasks this life has begun, until leftovers were looked for: they are none.
    private volatile ConcurrentDictionary<string, byte>? _begun = new(StringComparer.Ordinal);

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

    /// <inheritdoc/>
    public bool Handles(SwarmTask task) => task.Spec?.Generic?.Kind == NodeTraits.ProcessRuntime;

    /// <summary>The runtime; platform and resources are the machine's own, and there is no engine.</summary>
    public Task<NodeDescription> DescribeAsync(CancellationToken cancellationToken) => Task.FromResult(new NodeDescription
    {
        Engine = new EngineDescription { Plugins = { NodeTraits.NewProcessRuntimePlugin() } },
    });

    /// <summary>Nothing of a node's object matters to processes of the host.</summary>
    public Task ConfigureAsync(Node node, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public async Task RemoveOrphansAsync(IReadOnlySet<string> knownTaskIds, CancellationToken cancellationToken)
    {
        bool IsKnown(string id) => knownTaskIds.Contains(id) || _begun is not { } begun || begun.ContainsKey(id);
        if (!_supervisor.MayKnowTasks)
        {
            _begun = null;
            return;
        }
        await SupervisorErrors.TranslateAsync(async () =>
        {
            foreach (var report in await _supervisor.ListAsync(cancellationToken))
            {
                if (!IsKnown(report.TaskId))
                {
                    await _supervisor.RemoveAsync(report.TaskId, cancellationToken);
                }
            }
        });
        _begun = null;
    }

    /// <inheritdoc/>
    public IController CreateController(SwarmTask task, ITaskDependencies dependencies)
    {
        ArgumentNullException.ThrowIfNull(task);
        _begun?.TryAdd(task.Id, 0);
        return new ProcessController(task, dependencies, _options, _supervisor);
    }

    /// <summary>Lets go of the supervisor, which keeps the tasks.</summary>
    public ValueTask DisposeAsync() => _supervisor.DisposeAsync();
}
