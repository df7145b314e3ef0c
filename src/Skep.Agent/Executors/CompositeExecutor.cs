using System.Runtime.ExceptionServices;
using Docker.Swarmkit.V1;

namespace Skep.Agent.Executors;

/// <summary>Gives each task to the executor of its runtime, and tells the managers what all of them offer together.</summary>
public sealed class CompositeExecutor(IReadOnlyList<IExecutor> executors) : IExecutor
{
    // Those that have looked for leftovers: a second look would take what was begun since for one.
    private readonly HashSet<IExecutor> _clean = [];

    /// <inheritdoc/>
    public bool Handles(SwarmTask task) => executors.Any(e => e.Handles(task));

    /// <summary>What the executors know, put together. One that does not answer at present is left out, so that nothing is placed on it.</summary>
    public async Task<NodeDescription> DescribeAsync(CancellationToken cancellationToken)
    {
        var whole = new NodeDescription();
        foreach (var executor in executors)
        {
            try
            {
                whole.MergeFrom(await executor.DescribeAsync(cancellationToken));
            }
            catch (TaskTemporaryException)
            {
                // The next description has it, should it answer by then.
            }
        }

        return whole;
    }

    /// <inheritdoc/>
    public async Task ConfigureAsync(Node node, CancellationToken cancellationToken)
    {
        foreach (var executor in executors)
        {
            await executor.ConfigureAsync(node, cancellationToken);
        }
    }

    /// <inheritdoc/>
    public async Task RemoveOrphansAsync(IReadOnlySet<string> knownTaskIds, CancellationToken cancellationToken)
    {
        Exception? failure = null;
        foreach (var executor in executors.Where(e => !_clean.Contains(e)))
        {
            try
            {
                await executor.RemoveOrphansAsync(knownTaskIds, cancellationToken);
                _clean.Add(executor);
            }
            catch (Exception e) when (!cancellationToken.IsCancellationRequested)
            {
                failure = e;
            }
        }

        if (failure is not null)
        {
            ExceptionDispatchInfo.Throw(failure);
        }
    }

    /// <inheritdoc/>
    public IController CreateController(SwarmTask task, ITaskDependencies dependencies)
    {
        ArgumentNullException.ThrowIfNull(task);
        return executors.FirstOrDefault(e => e.Handles(task))?.CreateController(task, dependencies)
            ?? throw new TaskRejectedException(task.Spec?.RuntimeCase switch
            {
                TaskSpec.RuntimeOneofCase.Container => "this node has no container engine to run an image with",
                TaskSpec.RuntimeOneofCase.Generic => $"runtime \"{task.Spec.Generic.Kind}\" is not one of this node's",
                TaskSpec.RuntimeOneofCase.Attachment => "attaching containers of the engine's own to networks is not supported by this node",
                _ => "unrecognized runtime",
            });
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var executor in executors)
        {
            await executor.DisposeAsync();
        }
    }
}
