namespace Skep.Raft.Log;

/// <summary>What a record says. The numbers are on disk and never change their meaning.</summary>
internal enum RecordType : byte
{
    /// <summary>An entry of the replicated log: a command for the state machine.</summary>
    Command = 1,

    /// <summary>An entry of the replicated log: the group's members from here on.</summary>
    Configuration = 2,

    /// <summary>An entry of the replicated log without content, by which a new leader commits what came before.</summary>
    NoOp = 3,

    /// <summary>Term, vote and a commit index this member knew; the last one counts.</summary>
    HardState = 4,

    /// <summary>A durable snapshot of the group up to this index and term exists; entries below may be gone.</summary>
    SnapshotMarker = 5,

    /// <summary>Entries of the group from this index on are void.</summary>
    Truncate = 6,

    /// <summary>The process closed the log in order; everything before it was durable.</summary>
    Close = 7,

    /// <summary>In a snapshot file: what the snapshot is of.</summary>
    SnapshotHead = 16,

    /// <summary>In a snapshot file: a piece of the state machine's bytes; the index is the piece's number.</summary>
    SnapshotChunk = 17,

    /// <summary>In a snapshot file: the end; the index is the number of pieces, the term their total size.</summary>
    SnapshotEnd = 18,
}
