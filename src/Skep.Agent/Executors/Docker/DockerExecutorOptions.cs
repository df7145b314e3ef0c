namespace Skep.Agent.Executors.Docker;

/// <summary>Where the engine is, and where this node keeps what containers are given.</summary>
public sealed record DockerExecutorOptions
{
    /// <summary>Path of the engine's unix socket; Docker's, or Podman's compatible one.</summary>
    public string Socket { get; init; } = "/var/run/docker.sock";

    /// <summary>
    /// The node's state directory. Containers are labelled with it, so that a restarted node knows its own; secrets and
    /// configs lie in a tmpfs beneath it while a task lives.
    /// </summary>
    public required string StateDirectory { get; init; }

    /// <summary>Requests the engine is sent at once, pulls apart.</summary>
    public int MaxRequests { get; init; } = 24;

    /// <summary>Images pulled at once.</summary>
    public int MaxPulls { get; init; } = 3;

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
