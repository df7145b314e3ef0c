namespace Skep.Raft;

/// <summary>What a member does in a group.</summary>
public enum ReplicaRole
{
    /// <summary>Follows a leader, or waits for one.</summary>
    Follower,

    /// <summary>Asks for votes.</summary>
    Candidate,

    /// <summary>Leads.</summary>
    Leader,
}

/// <summary>A group as one of its members sees it at one moment.</summary>
/// <param name="Role">What the member does.</param>
/// <param name="Term">Its term.</param>
/// <param name="LeaderId">Who leads that term as far as known; 0 when nobody is known to.</param>
/// <param name="Configuration">The members as of the log's end.</param>
/// <param name="LastIndex">The last entry of its log, on disk or on its way there.</param>
/// <param name="CommitIndex">The last entry known to be committed.</param>
/// <param name="AppliedIndex">The last entry that the state machine has seen.</param>
public sealed record ReplicaStatus(
    ReplicaRole Role, ulong Term, ulong LeaderId, RaftConfiguration Configuration, ulong LastIndex, ulong CommitIndex, ulong AppliedIndex)
{
    /// <summary>Per member how many entries it lacks on its disk, as a leader knows it; empty elsewhere.</summary>
    public IReadOnlyDictionary<ulong, ulong> LagByMember { get; init; } = new Dictionary<ulong, ulong>();
}
