using Docker.Swarmkit.V1;
using Skep.V1;

namespace Skep.Manager.Control;

/// <summary>The managers that agree on the cluster's state, as the control API shows and guards them.</summary>
public interface IManagerMembers
{
    /// <summary>How a node takes part; null for one that does not.</summary>
    ManagerStatus? Find(string nodeId);

    /// <summary>Whether the others still agree without this one.</summary>
    bool CanLose(string nodeId);

    /// <summary>Why no further manager can take part; null when one can.</summary>
    string? FullReason { get; }

    /// <summary>The members and how they fare, as far as known here; without the names of their nodes, which the store knows.</summary>
    ManagersStatus Status();
}
