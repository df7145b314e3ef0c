using Skep.Raft.Consensus;

namespace Skep.Simulation;

/// <summary>What a run is made of; everything else follows from the seed.</summary>
internal sealed record WorldOptions
{
    public CoreFaults Faults { get; init; }

    /// <summary>How long faults go on, in ms of virtual time; then all is mended and the group must work again.</summary>
    public int StormMs { get; init; } = 3000;

    /// <summary>
    /// Looks at the disks at every commit. Off where a test shows that a fault is found by what it does to those who use
    /// the group.
    /// </summary>
    public bool LookAtDisks { get; init; } = true;

    /// <summary>Members keep the product's own log, over disks that tear sectors and turn bits, instead of what it promises.</summary>
    public bool RealLog { get; init; }

    /// <summary>A sync of the real log's disks does nothing: a mistake that must be found.</summary>
    public bool DisksLie { get; init; }

    /// <summary>What a member that starts runs: from its snapshot, or anew.</summary>
    public Func<World, SimulatedNode, NodeState?, NodeState> Machine { get; init; } = static (_, _, snapshot) => snapshot?.Clone() ?? new RegisterState();

    public Action<string>? Trace { get; init; }
}
