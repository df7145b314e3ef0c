namespace Skep.Manager.Scheduling;

/// <summary>One thing that keeps a task from a node, in words for people.</summary>
/// <param name="Filter">Which filter refuses.</param>
/// <param name="What">The thing in question, e.g. "memory" or "constraint node.role==manager".</param>
/// <param name="Asked">What the task asks, e.g. "64 GiB".</param>
/// <param name="Available">What the node has, e.g. "3.2 GiB free of 7.8 GiB".</param>
internal sealed record FeasibilityFailure(FeasibilityFilters Filter, string What, string Asked, string Available)
{
    /// <summary>The asked amount where it is one: bytes, nano CPUs, pieces. Null for what is no amount.</summary>
    public long? AskedAmount { get; init; }

    /// <summary>The free amount in the same unit.</summary>
    public long? AvailableAmount { get; init; }

    /// <inheritdoc/>
    public override string ToString() => $"{What}: asks {Asked}, has {Available}";
}
