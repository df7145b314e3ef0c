using Docker.Swarmkit.V1;

namespace Skep.Agent.Executors;

/// <summary>The task cannot run here, and trying again would not change that.</summary>
public sealed class TaskRejectedException : Exception
{
    /// <summary>Says why, in words that go into the task's status as they are.</summary>
    public TaskRejectedException(string message)
        : base(message)
    {
    }

    /// <summary>Says why, in words that go into the task's status as they are.</summary>
    public TaskRejectedException(string message, Exception? cause)
        : base(message, cause)
    {
    }
}

/// <summary>It did not work this time; the same call may work later. The task stays in its state with these words as its error.</summary>
public sealed class TaskTemporaryException : Exception
{
    /// <summary>Says what is in the way.</summary>
    public TaskTemporaryException(string message)
        : base(message)
    {
    }

    /// <summary>Says what is in the way.</summary>
    public TaskTemporaryException(string message, Exception? cause)
        : base(message, cause)
    {
    }
}

/// <summary>The task ran and ended badly.</summary>
public sealed class TaskExitedException : Exception
{
    /// <summary>Says how the task ended.</summary>
    /// <param name="exitCode">The exit code; 128 + signal number for one killed by a signal.</param>
    /// <param name="cause">What else is known, such as that it was unhealthy or out of memory.</param>
    /// <param name="status">The container's or process's last status, if known.</param>
    public TaskExitedException(int exitCode, string? cause = null, ContainerStatus? status = null)
        : base(string.IsNullOrEmpty(cause) ? $"task: non-zero exit ({exitCode})" : $"task: non-zero exit ({exitCode}): {cause}")
    {
        ExitCode = exitCode;
        Status = status;
    }

    /// <summary>The exit code; 128 + signal number for one killed by a signal.</summary>
    public int ExitCode { get; }

    /// <summary>The last status of container or process, if known.</summary>
    public ContainerStatus? Status { get; }
}
