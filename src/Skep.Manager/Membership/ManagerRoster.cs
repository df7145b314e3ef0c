using Docker.Swarmkit.V1;
using Skep.Manager.Control;
using Skep.Store.Members;
using Skep.V1;

namespace Skep.Manager.Membership;

/// <summary>The managers as the group says who they are, and as far as it is known here how they fare.</summary>
/// <param name="members">The group.</param>
/// <param name="coordination">The coordination's group, in which a manager votes too unless it only observes.</param>
/// <param name="observes">Whether a member only observes coordination.</param>
/// <param name="time">Tells since when a member has not answered.</param>
public sealed class ManagerRoster(StoreMembers members, StoreMembers coordination, Func<ulong, bool> observes, TimeProvider time) : IManagerMembers
{
    /// <summary>The most managers that vote: beyond it each write costs more and survives hardly more.</summary>
    public const int MaxManagers = 7;

    /// <summary>A member that has not answered its leader for this long is taken for unreachable.</summary>
    internal static readonly TimeSpan LongestSilence = TimeSpan.FromSeconds(2);

    private volatile Dictionary<ulong, MemberStanding> standings = [];

    /// <summary>What the leader knew of each member when it last looked; empty elsewhere.</summary>
    internal IReadOnlyDictionary<ulong, MemberStanding> Standings => standings;

    /// <inheritdoc/>
    public string? FullReason => members.View.Members.Count(static m => m.Kind != MemberKind.Leaving) >= MaxManagers
        ? $"the cluster has {MaxManagers} managers already, which is the most; demote one first, or use the worker token"
        : null;

    /// <inheritdoc/>
    public ManagerStatus? Find(string nodeId)
    {
        MembersView view = members.View;
        return view.OfNode(nodeId) is not { } member
            ? null
            : new()
            {
                RaftId = member.Id,
                Addr = member.Address,
                Leader = member.Id == view.LeaderId,
                Reachability = ManagersReport.ReachabilityOf(member.Id, IsReachable(view, member.Id), observes(member.Id) ? [view] : [view, coordination.View]),
            };
    }

    /// <inheritdoc/>
    public bool CanLose(string nodeId)
    {
        MembersView view = members.View;
        if (view.OfNode(nodeId) is not { } leaving)
        {
            return true;
        }
        List<ClusterMember> rest = [.. view.Voters.Where(v => v.Id != leaving.Id)];
        return rest.Count > 0 && rest.Count(v => IsReachable(view, v.Id)) > rest.Count / 2;
    }

    /// <inheritdoc/>
    public ManagersStatus Status()
    {
        MembersView view = members.View;
        return ManagersReport.Of(view, standings, id => IsReachable(view, id), time.GetUtcNow());
    }

    /// <summary>Whether a member answers, as far as this one knows.</summary>
    internal bool IsReachable(MembersView view, ulong id) =>
        id == view.SelfId
        || (view.IsLeading && standings.TryGetValue(id, out MemberStanding? standing) ? standing.Silence < LongestSilence : members.IsConnected(id));

    /// <summary>Asks the group anew how its members fare.</summary>
    internal async Task RefreshAsync(CancellationToken ct) =>
        standings = (await members.ReadStandingsAsync(ct).ConfigureAwait(false)).ToDictionary(static s => s.Id);
}
