using Skep.Raft.Consensus;

namespace Skep.Raft;

/// <summary>What a group's loop is told; commands have a queue of their own.</summary>
internal abstract record ReplicaInput
{
    public sealed record Received(Message Message) : ReplicaInput;

    public sealed record ReadAsked(TaskCompletionSource Done) : ReplicaInput;

    public sealed record TransferAsked(ulong Target, TaskCompletionSource Done) : ReplicaInput;

    public sealed record ChangeAsked(IReadOnlyList<RaftMember> Voters, IReadOnlyList<RaftMember> Learners, TaskCompletionSource Done) : ReplicaInput;

    public sealed record StandingsAsked(TaskCompletionSource<IReadOnlyList<ReplicaStanding>> Done) : ReplicaInput;

    /// <summary>Answered with the taking, which ends with whether it was taken.</summary>
    public sealed record SnapshotAsked(TaskCompletionSource<Task<bool>> Done) : ReplicaInput;

    public sealed record CommitHurried(ulong Member) : ReplicaInput;

    public sealed record SnapshotSent(ulong Member, bool Arrived) : ReplicaInput;

    public sealed record SnapshotTaken(ulong Index) : ReplicaInput;
}
