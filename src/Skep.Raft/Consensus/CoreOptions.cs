namespace Skep.Raft.Consensus;

/// <summary>Times and bounds of a member. Times are milliseconds of its own monotonic clock.</summary>
internal sealed record CoreOptions
{
    /// <summary>The clock is read in whole milliseconds, once by the leader and once by the follower.</summary>
    private const int ClockGrainMs = 2;

    public required ulong Id { get; init; }

    public ulong Group { get; init; }

    /// <summary>
    /// How long a follower waits for a leader at least; it waits up to twice that. For this long after it heard from a
    /// leader, and after its start, it grants no vote, which is what leases stand on.
    /// </summary>
    public int ElectionTimeoutMs { get; init; } = 1000;

    public int HeartbeatMs { get; init; } = 100;

    /// <summary>How often a leader tells that it lives while all members have all there is and know that; as often as otherwise where it is 0.</summary>
    public int RestHeartbeatMs { get => field > 0 ? field : HeartbeatMs; init; }

    /// <summary>By how much a member's clock may run too fast or too slow, as a fraction.</summary>
    public double ClockDriftBound { get; init; } = 0.05;

    /// <summary>Reads are answered under the leader's lease while it has one, else by asking a majority.</summary>
    public bool UseLease { get; init; } = true;

    /// <summary>The entries of one message; one entry goes out whatever its size.</summary>
    public int MaxMessageSizeBytes { get; init; } = 1024 * 1024;

    /// <summary>Messages with entries that one follower has not answered yet.</summary>
    public int MaxInFlightMessages { get; init; } = 256;

    public long MaxInFlightBytes { get; init; } = 16 * 1024 * 1024;

    /// <summary>Proposals are refused while more than this waits to be committed.</summary>
    public long MaxUncommittedBytes { get; init; } = 64 * 1024 * 1024;

    /// <summary>A follower takes no more entries while more than this waits for its disk.</summary>
    public long MaxUnstoredBytes { get; init; } = 64 * 1024 * 1024;

    /// <summary>Stored entries that are kept in memory to be sent.</summary>
    public long MaxCachedBytes { get; init; } = 16 * 1024 * 1024;

    /// <summary>Reads that wait for a majority's answer; more are refused.</summary>
    public int MaxPendingReads { get; init; } = 4096;

    /// <summary>A learner this close to the log's end may become a voter.</summary>
    public ulong CaughtUpEntries { get; init; } = 1000;

    /// <summary>After this long a snapshot of whose fate nothing was heard is taken for lost.</summary>
    public int SnapshotTimeoutMs { get; init; } = 60_000;

    /// <summary>
    /// How long a follower that has all entries may be left without word of their commitment: what follows them tells of it too, so
    /// where commands follow each other closely nothing is sent for it alone.
    /// </summary>
    public int CommitNoticeMs { get; init; }

    internal CoreFaults Faults { get; init; }

    /// <summary>
    /// How long after it was sent a heartbeat that a majority answered proves that nobody else can lead: the promise of a
    /// follower with the fastest clock, on a leader's clock that is the slowest.
    /// </summary>
    public long LeaseMs => (long)(ElectionTimeoutMs * (1 - ClockDriftBound) / (1 + ClockDriftBound)) - ClockGrainMs;

    /// <summary>Entries unanswered for this long are sent again.</summary>
    public int ResendMs => 2 * HeartbeatMs;
}
