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

    /// <summary>
    /// A snapshot is taken after so many bytes of commands at the latest, or half as many as the last one has if that is more, so that what a
    /// start reads again stays bounded.
    /// </summary>
    public long SnapshotEverySizeBytes { get; init; } = long.MaxValue;

    /// <summary>Proposals that may wait; further callers wait for a place.</summary>
    public int MaxQueuedProposals { get; init; } = 4096;

    /// <summary>Messages of peers that may wait; a peer whose stream brings more waits.</summary>
    public int MaxQueuedMessages { get; init; } = 1024;

    /// <summary>
    /// Takes what another member says beside the group's own messages (<see cref="ReplicaGroup.SendAside"/>): from whom, and the bytes,
    /// which are the callee's to keep. On the thread that reads from that member: it must return at once.
    /// </summary>
    public Action<ulong, ReadOnlyMemory<byte>>? Aside { get; init; }

    /// <summary>
    /// Called when this member, or who leads as far as it knows, is another than before (<see cref="ReplicaGroup.Status"/> says who). In
    /// the group's own turn: it must return at once.
    /// </summary>
    public Action? StandingChanged { get; init; }
}
