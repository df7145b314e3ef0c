namespace Skep.Raft;

/// <summary>A group's state at one moment.</summary>
/// <param name="Term">The current term.</param>
/// <param name="LastIndex">The last durable entry.</param>
/// <param name="AppliedIndex">The last entry the state machine has seen.</param>
/// <param name="SnapshotIndex">The last entry that is in a snapshot; 0 for none.</param>
/// <param name="QueueDepth">Proposals that wait.</param>
/// <param name="Syncs">Syncs of the log since it was opened.</param>
/// <param name="LastSyncTime">How long the last write and sync took.</param>
/// <param name="Segments">Files of the log.</param>
public sealed record RaftGroupMetrics(
    ulong Term, ulong LastIndex, ulong AppliedIndex, ulong SnapshotIndex, int QueueDepth, long Syncs, TimeSpan LastSyncTime, int Segments);
