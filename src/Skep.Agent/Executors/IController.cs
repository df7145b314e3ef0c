using Docker.Swarmkit.V1;

namespace Skep.Agent.Executors;

/// <summary>
/// Drives one task. The task manager calls one operation at a time and may cancel it and call it again, also in a
/// later life of the node, so every operation is idempotent: what is already done is found done and succeeds.
/// Only <see cref="LogsAsync"/> and the status properties run beside the others.
/// </summary>
/// <remarks>
/// Errors: <see cref="TaskRejectedException"/> ends the task (REJECTED before STARTING, FAILED from then on),
/// <see cref="TaskTemporaryException"/> makes the task manager try again with growing delays,
/// <see cref="TaskExitedException"/> says it ran and failed. Any other exception ends the task as the first does.
/// Disposal lets go of what this object holds and leaves the task running.
/// </remarks>
public interface IController : IAsyncDisposable
{
    /// <summary>Takes a newer definition of the task. Only desired state, annotations and networks may differ.</summary>
    Task UpdateAsync(SwarmTask task, CancellationToken cancellationToken);

    /// <summary>Makes all that starting needs, so that starting takes no time: image, volumes, secrets, the container.</summary>
    Task PrepareAsync(CancellationToken cancellationToken);

    /// <summary>Starts it and returns once it runs (and is healthy, where it has a health check).</summary>
    Task StartAsync(CancellationToken cancellationToken);

    /// <summary>Returns when it has exited with 0.</summary>
    /// <exception cref="TaskExitedException">It exited otherwise, or became unhealthy.</exception>
    Task WaitAsync(CancellationToken cancellationToken);

    /// <summary>Asks it to stop, and kills it when its grace period is over. Returns once it no longer runs; succeeds if it never did.</summary>
    Task ShutdownAsync(CancellationToken cancellationToken);

    /// <summary>Kills it at once. Returns once it no longer runs.</summary>
    Task TerminateAsync(CancellationToken cancellationToken);

    /// <summary>Removes all that <see cref="PrepareAsync"/> made, its secrets included, killing it if it still runs.</summary>
    Task RemoveAsync(CancellationToken cancellationToken);

    /// <summary>Its container or process (id, pid, exit code), or null when there is none.</summary>
    Task<ContainerStatus?> GetContainerStatusAsync(CancellationToken cancellationToken);

    /// <summary>The ports it has on this machine in host mode, or null when it has none.</summary>
    Task<PortStatus?> GetPortStatusAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Reads its log as <paramref name="options"/> ask. Ends when the log does, or with <c>follow</c> when the task does.
    /// The caller fills in the messages' context.
    /// </summary>
    /// <param name="options">Streams, follow, tail and since.</param>
    /// <param name="publish">Takes one message at a time; completes when there is room for the next.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    Task LogsAsync(LogSubscriptionOptions options, Func<LogMessage, CancellationToken, ValueTask> publish, CancellationToken cancellationToken);
}
