namespace Skep.Raft;

/// <summary>How a member takes part in a group.</summary>
public sealed record ReplicaGroupOptions
{
    /// <summary>Which group; the same at all members, and never 0.</summary>
    public required ulong GroupId { get; init; }

    /// <summary>
    /// The members that begin the group, the same list at each of them, looked at only where the log is empty. A member that is
    /// added later gives none: it has its configuration from the leader.
    /// </summary>
    public IReadOnlyList<RaftMember> Founders { get; init; } = [];

    /// <summary>How long followers wait for a leader at least, in milliseconds; they wait up to twice that.</summary>
    public int ElectionTimeoutMs { get; init; } = 500;

    /// <summary>How often a leader tells that it lives, in milliseconds.</summary>
    public int HeartbeatMs { get; init; } = 50;

    /// <summary>A snapshot is taken after so many entries.</summary>
    public ulong SnapshotEveryEntries { get; init; } = 10_000;

    /// <summary>Proposals that may wait; further callers wait for a place.</summary>
    public int MaxQueuedProposals { get; init; } = 4096;

    /// <summary>Messages of peers that may wait; a peer whose stream brings more waits.</summary>
    public int MaxQueuedMessages { get; init; } = 1024;
}
