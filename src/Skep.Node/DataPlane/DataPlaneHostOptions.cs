using Skep.DataPlane.Engine;

namespace Skep.Node.DataPlane;

/// <summary>How a data plane is run as a process of its own.</summary>
public sealed record DataPlaneHostOptions
{
    /// <summary>The socket that it is spoken to by.</summary>
    public required string Socket { get; init; }

    /// <summary>Its ports and its worker.</summary>
    public required DataPlaneOptions Engine { get; init; }

    /// <summary>A table in JSON to start with; null for none.</summary>
    public string? TableFile { get; init; }

    /// <summary>Who it is once all is open; null to stay who it was.</summary>
    public string? User { get; init; }

    /// <summary>Where Prometheus reads, on the loopback; null for nowhere.</summary>
    public string? MetricsAddress { get; init; }
}
