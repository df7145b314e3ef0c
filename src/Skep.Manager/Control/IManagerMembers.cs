using Docker.Swarmkit.V1;

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
}

/// <summary>A group of one: this manager, who leads.</summary>
/// <param name="nodeId">The manager's node.</param>
/// <param name="raftId">Its id in the group.</param>
/// <param name="address">Where other nodes reach it, host:port; asked each time.</param>
public sealed class SingleManager(string nodeId, ulong raftId, Func<string> address) : IManagerMembers
{
    /// <inheritdoc/>
    public ManagerStatus? Find(string nodeId) => nodeId == OwnNodeId
        ? new()
        {
            RaftId = raftId,
            Addr = address(),
            Leader = true,
            Reachability = RaftMemberStatus.Types.Reachability.Reachable,
        }
        : null;

    /// <inheritdoc/>
    public bool CanLose(string nodeId) => nodeId != OwnNodeId;

    /// <inheritdoc/>
    public string? FullReason => "this version of Skep runs one manager a cluster; use the worker token";

    private string OwnNodeId { get; } = nodeId;
}
