using Skep.Raft.Log;

namespace Skep.Raft.Consensus;

/// <summary>
/// One thing to be made durable. Writes are done in the order of their numbers, each in the order hard state, truncation,
/// snapshot, entries, and are reported with <see cref="RaftCore.Stored"/>; a crash may leave any beginning of that.
/// </summary>
internal sealed record LogWrite(
    ulong Sequence, HardState? HardState, ulong? TruncateFrom, SnapshotMeta? Snapshot, IReadOnlyList<LogRecord> Entries);

/// <summary>The fate of a read: an index that must be applied before it is answered, or null when it was not admitted.</summary>
internal readonly record struct ReadState(ulong Context, ulong? Index);

/// <summary>What is to be done after some inputs.</summary>
/// <param name="Messages">To be sent at once; what must wait for the disk is not among them yet.</param>
/// <param name="Write">To be made durable, beside the sending.</param>
/// <param name="ApplyUpTo">Entries up to here are committed and on this disk: apply them.</param>
/// <param name="Reads">Reads that were decided.</param>
internal sealed record CoreOutput(
    IReadOnlyList<Message> Messages, LogWrite? Write, ulong ApplyUpTo, IReadOnlyList<ReadState> Reads);

internal enum ProposalStatus
{
    Accepted,
    NotLeader,
    Transferring,
    TooMuchInFlight,
}

/// <summary>Whether commands were taken, and where the first stands. Its fate is known when that index is applied: only in this term is it that command.</summary>
internal readonly record struct ProposalResult(ProposalStatus Status, ulong FirstIndex = 0, ulong Term = 0);

internal enum Role : byte
{
    Follower,
    PreCandidate,
    Candidate,
    Leader,
}
