namespace Skep.Agent.Ingress;

/// <summary>Bounds of what one published port may take of the node.</summary>
internal sealed record RelayLimits
{
    /// <summary>TCP connections relayed at once; more wait in the kernel's queue.</summary>
    public int MaxConnections { get; init; } = 4096;

    /// <summary>UDP sessions at once; datagrams that would begin another are dropped.</summary>
    public int MaxSessions { get; init; } = 4096;

    /// <summary>Buffer for each direction of a TCP connection.</summary>
    public int BufferSizeBytes { get; init; } = 16 * 1024;

    /// <summary>How long a task may take to accept a connection before the next one is asked.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>How long a UDP session lives without a datagram.</summary>
    public TimeSpan SessionIdle { get; init; } = TimeSpan.FromSeconds(90);

    /// <summary>The longest wait before a port that is in use is tried again.</summary>
    public TimeSpan BindRetry { get; init; } = TimeSpan.FromSeconds(5);
}
