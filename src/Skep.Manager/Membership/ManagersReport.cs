using Docker.Swarmkit.V1;
using Google.Protobuf.WellKnownTypes;
using Skep.Store.Members;
using Skep.V1;

namespace Skep.Manager.Membership;

/// <summary>What one manager can say of all of them; a pure function of what it sees.</summary>
internal static class ManagersReport
{
    /// <param name="view">The group as this manager sees it.</param>
    /// <param name="standings">What it knows of the members while it leads.</param>
    /// <param name="isReachable">Whether a member answers.</param>
    /// <param name="now">From when silence is counted back.</param>
    public static ManagersStatus Of(MembersView view, IReadOnlyDictionary<ulong, MemberStanding> standings, Func<ulong, bool> isReachable, DateTimeOffset now)
    {
        var status = new ManagersStatus { Term = view.Term, CommitIndex = view.CommitIndex, MayBeStale = view.LeaderId == 0 };
        foreach (ClusterMember member in view.Members)
        {
            var shown = new ManagerMember
            {
                RaftId = member.Id,
                Address = member.Address,
                Kind = member.Kind switch
                {
                    MemberKind.Learner => ManagerMember.Types.Kind.Learner,
                    MemberKind.Leaving => ManagerMember.Types.Kind.Leaving,
                    _ => ManagerMember.Types.Kind.Voter,
                },
                Reachable = isReachable(member.Id),
                Leader = member.Id == view.LeaderId,
            };
            if (view.IsLeading && standings.TryGetValue(member.Id, out MemberStanding? standing))
            {
                shown.LagEntries = standing.LagEntries;
                if (!shown.Reachable)
                {
                    shown.UnreachableSince = Timestamp.FromDateTimeOffset(now - standing.Silence);
                }
            }
            if (member.Id == view.SelfId)
            {
                shown.AppliedIndex = view.AppliedIndex;
            }
            status.Members.Add(shown);
        }
        return status;
    }

    /// <summary>
    /// How a manager is shown among the nodes. One that answers and does not vote yet is UNKNOWN: who replaces managers one by one waits
    /// for REACHABLE, and must not take down the next while the quorum still rests on it.
    /// </summary>
    /// <param name="id">The manager.</param>
    /// <param name="answers">Whether it answers.</param>
    /// <param name="groups">The groups in which it votes once it takes part wholly.</param>
    public static RaftMemberStatus.Types.Reachability ReachabilityOf(ulong id, bool answers, params ReadOnlySpan<MembersView> groups)
    {
        if (!answers)
        {
            return RaftMemberStatus.Types.Reachability.Unreachable;
        }
        foreach (MembersView group in groups)
        {
            if (group.Find(id) is not { Kind: not MemberKind.Learner })
            {
                return RaftMemberStatus.Types.Reachability.Unknown;
            }
        }
        return RaftMemberStatus.Types.Reachability.Reachable;
    }
}
