using Docker.Swarmkit.V1;

namespace Skep.Agent.Executors;

/// <summary>What runs tasks on this node: a container engine, or the node itself. Source of the semantics: moby/swarmkit agent/exec.</summary>
public interface IExecutor : IAsyncDisposable
{
    /// <summary>Whether a task of this runtime is this executor's to run. Looks at the runtime alone, never at whether it can be honoured.</summary>
    bool Handles(SwarmTask task);

    /// <summary>
    /// What this executor knows of the machine. Fields it has nothing to say about stay unset: a description without
    /// <see cref="NodeDescription.Engine"/> tells the scheduler that no image can run here.
    /// </summary>
    /// <exception cref="TaskTemporaryException">It cannot be asked at present, such as an engine that is down; asked again later.</exception>
    Task<NodeDescription> DescribeAsync(CancellationToken cancellationToken);

    /// <summary>Takes the node's own object; called at every change of it.</summary>
    Task ConfigureAsync(Node node, CancellationToken cancellationToken);

    /// <summary>
    /// Called until it succeeds, after the tasks on disk were read: whatever an earlier life of this node left running for a
    /// task that is not among <paramref name="knownTaskIds"/> is stopped and removed. Tasks that a controller was made for in
    /// this life are no leftovers, although <paramref name="knownTaskIds"/> may not have them.
    /// </summary>
    /// <exception cref="TaskTemporaryException">It cannot be done at present; called again later.</exception>
    Task RemoveOrphansAsync(IReadOnlySet<string> knownTaskIds, CancellationToken cancellationToken);

    /// <summary>Makes what drives one task. Starts nothing and waits for nothing.</summary>
    /// <param name="task">The task; the executor must not change it.</param>
    /// <param name="dependencies">Its secrets and configs, and only its own.</param>
    /// <exception cref="TaskRejectedException">The task asks for what this executor cannot give; the message names the field.</exception>
    IController CreateController(SwarmTask task, ITaskDependencies dependencies);
}
