namespace Skep.Raft.Consensus;

/// <summary>What a snapshot stands for: the log up to an index, and the members as of it.</summary>
internal sealed record SnapshotMeta(ulong Index, ulong Term, ulong ConfigurationIndex, RaftConfiguration Configuration);
