namespace Skep.Store.Members;

/// <summary>How a member takes part.</summary>
public enum MemberKind
{
    /// <summary>Its majority decides.</summary>
    Voter,

    /// <summary>It receives the log and does not vote yet.</summary>
    Learner,

    /// <summary>A voter until the change that is under way is committed.</summary>
    Leaving,
}

/// <summary>A manager that takes part in what the cluster agrees on.</summary>
/// <param name="Id">Its id in the group.</param>
/// <param name="Address">Where others reach it, host:port.</param>
/// <param name="Kind">How it takes part.</param>
public sealed record ClusterMember(ulong Id, string Address, MemberKind Kind);

/// <summary>The managers as one of them sees them at one moment.</summary>
/// <param name="SelfId">The one who sees.</param>
/// <param name="IsLeading">Whether it leads and holds all that was committed before.</param>
/// <param name="Term">The term.</param>
/// <param name="LeaderId">Who leads as far as known; 0 when nobody is known to.</param>
/// <param name="Members">The members as of the log's end.</param>
/// <param name="LastIndex">The last entry of its log.</param>
/// <param name="CommitIndex">The last entry known to be committed.</param>
/// <param name="AppliedIndex">The last entry in the store.</param>
public sealed record MembersView(
    ulong SelfId, bool IsLeading, ulong Term, ulong LeaderId, IReadOnlyList<ClusterMember> Members, ulong LastIndex, ulong CommitIndex, ulong AppliedIndex)
{
    /// <summary>Those whose majority decides; while a change is under way the leaving ones decide too.</summary>
    public IEnumerable<ClusterMember> Voters => Members.Where(static m => m.Kind == MemberKind.Voter);

    /// <summary>The member of an id.</summary>
    public ClusterMember? Find(ulong id) => Members.FirstOrDefault(m => m.Id == id);

    /// <summary>The member that is a node.</summary>
    public ClusterMember? OfNode(string nodeId) => Members.FirstOrDefault(m => MemberIds.IsOf(m.Id, nodeId));
}

/// <summary>What a leader knows of a member.</summary>
/// <param name="Id">The member.</param>
/// <param name="LagEntries">How many entries it lacks on its disk.</param>
/// <param name="Silence">How long ago it last answered.</param>
/// <param name="IsCaughtUp">Whether it lacks so little that it may vote.</param>
public sealed record MemberStanding(ulong Id, ulong LagEntries, TimeSpan Silence, bool IsCaughtUp);
