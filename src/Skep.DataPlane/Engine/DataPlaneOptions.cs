using Skep.DataPlane.Balancing.Flows;

namespace Skep.DataPlane.Engine;

/// <summary>What a worker does while nothing comes.</summary>
public enum WorkerWait
{
    /// <summary>Sleeps until a frame wakes it.</summary>
    Sleep,

    /// <summary>Lets others run who want to.</summary>
    Yield,

    /// <summary>Looks again at once.</summary>
    Busy,
}

/// <summary>How a data plane is started.</summary>
public sealed record DataPlaneOptions
{
    /// <summary>Its ports.</summary>
    public required IReadOnlyList<PortSpec> Ports { get; init; }

    /// <summary>Workers at most.</summary>
    public const int MaxWorkers = 16;

    /// <summary>How many workers it has: threads, each with a queue of every port.</summary>
    public int Workers { get; init; } = 1;

    /// <summary>What its workers do while nothing comes.</summary>
    public WorkerWait Wait { get; init; }

    /// <summary>The core that each worker is kept on; none for any.</summary>
    public IReadOnlyList<int> Cores { get; init; } = [];

    /// <summary>How many flows each worker remembers.</summary>
    public FlowLimits Flows { get; init; } = new();

    /// <summary>Packet buffers of each worker.</summary>
    public int Buffers { get; init; } = 8_192;

    internal void Check()
    {
        if (Workers is < 1 or > MaxWorkers)
        {
            throw new ArgumentException($"--workers {Workers}: expected 1 to {MaxWorkers}");
        }
        if (Cores.Count > 0 && (Cores.Count != Workers || Cores.Distinct().Count() != Workers))
        {
            throw new ArgumentException($"--cores {string.Join(',', Cores)} with --workers {Workers}: expected as many cores as workers, no two the same");
        }
    }
}
