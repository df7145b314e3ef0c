namespace Skep.Agent.Executors.Process;

/// <summary>What the node says about the tasks it runs as processes of the host.</summary>
public sealed record ProcessExecutorOptions
{
    /// <summary>The node's state directory: an absolute path whose `supervisor.sock` fits a unix socket (107 bytes).</summary>
    public required string StateDir { get; init; }

    /// <summary>
    /// Whether a task may be root, have capabilities, bind mounts or an OOM score below 0. Without it such a task is
    /// REJECTED.
    /// </summary>
    public bool AllowRootTasks { get; init; }

    /// <summary>The supervisor's program; the one beside the running program if null.</summary>
    public string? SupervisorProgram { get; init; }

    /// <summary>How long a supervisor without tasks outlives the agent.</summary>
    public TimeSpan SupervisorIdle { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Most bytes of log kept of a task, where it does not say itself; at least 64 KiB.</summary>
    public long LogMaxBytes { get; init; } = 10 * 1024 * 1024;
}
