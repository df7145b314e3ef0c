using Skep.Raft.Log;

namespace Skep.Raft.Consensus;

internal enum MessageType : byte
{
    PreVote = 1,
    PreVoteResponse = 2,
    Vote = 3,
    VoteResponse = 4,
    Append = 5,
    AppendResponse = 6,
    Heartbeat = 7,
    HeartbeatResponse = 8,
    Snapshot = 9,
    TimeoutNow = 10,
    ReadIndex = 11,
    ReadIndexResponse = 12,
}

/// <summary>What members say to each other. One flat record; which fields count follows from the type.</summary>
internal sealed record Message
{
    public required MessageType Type { get; init; }

    public required ulong From { get; init; }

    public required ulong To { get; init; }

    /// <summary>The sender's term; of a pre-vote and its grant, the term that is meant.</summary>
    public required ulong Term { get; init; }

    /// <summary>
    /// Vote, TimeoutNow: the last index of the sender's log. Append: the entry before the first sent. AppendResponse: up to
    /// where the follower holds the leader's log on disk, or the index it refuses. ReadIndexResponse: what to have applied.
    /// </summary>
    public ulong Index { get; init; }

    /// <summary>Term of the entry at <see cref="Index"/>; of a refused append, the term at <see cref="Hint"/>.</summary>
    public ulong LogTerm { get; init; }

    public ulong Commit { get; init; }

    public bool Reject { get; init; }

    /// <summary>Refused append: the follower's last index whose term may still agree.</summary>
    public ulong Hint { get; init; }

    /// <summary>Vote: the leader asked for it, so that promises to this leader do not count.</summary>
    public bool Force { get; init; }

    /// <summary>The leader's count of heartbeats and its clock when it sent this; answers repeat both.</summary>
    public ulong Round { get; init; }

    public long SentMs { get; init; }

    /// <summary>Names a read for whoever asked.</summary>
    public ulong Context { get; init; }

    public IReadOnlyList<LogRecord> Entries { get; init; } = [];

    /// <summary>What the snapshot is of; its bytes travel beside the message, which arrives when they have.</summary>
    public SnapshotMeta? Snapshot { get; init; }

    public bool IsFromLeader => Type is MessageType.Append or MessageType.Heartbeat or MessageType.Snapshot;
}
