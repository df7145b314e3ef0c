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
    /// <summary>
    /// Whether this member leads and has applied an entry of its own term: it holds all that was committed before it, and what it
    /// applies from here on are its own proposals.
    /// </summary>
    public bool IsReady { get; init; }

    /// <summary>Per member how many entries it lacks on its disk, as a leader knows it; empty elsewhere.</summary>
    public IReadOnlyDictionary<ulong, ulong> LagByMember { get; init; } = new Dictionary<ulong, ulong>();
}

/// <summary>What a leader knows of a member.</summary>
/// <param name="Id">The member.</param>
/// <param name="LagEntries">How many entries it lacks on its disk.</param>
/// <param name="SilentMs">How long ago it last answered, in milliseconds; 0 for the leader itself.</param>
/// <param name="IsCaughtUp">Whether it lacks so little that it may become a voter.</param>
public sealed record ReplicaStanding(ulong Id, ulong LagEntries, long SilentMs, bool IsCaughtUp);
