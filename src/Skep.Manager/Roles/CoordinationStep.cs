using Docker.Swarmkit.V1;
using Skep.Manager.Membership;
using Skep.Store.Members;

namespace Skep.Manager.Roles;

/// <summary>
/// The next thing the leader of the coordination's group does about its members, which are the managers; a pure function of what is
/// there. Who leads the managers too decides; another one only brings that one in and hands it the lead.
/// </summary>
internal abstract record CoordinationStep
{
    private static readonly TimeSpan LongestSilenceOfVoters = TimeSpan.FromMilliseconds(500);

    /// <param name="managers">The managers' group as this one sees it.</param>
    /// <param name="view">The coordination's group as its leader sees it.</param>
    /// <param name="standings">What its leader knows of its members.</param>
    /// <param name="nodes">The nodes that are, are to be, or were managers.</param>
    /// <returns>null when all is as is wanted, or only time helps.</returns>
    public static CoordinationStep? Next(MembersView managers, MembersView view, IReadOnlyDictionary<ulong, MemberStanding> standings, IReadOnlyCollection<Node> nodes)
    {
        // While a change is under way the group refuses another.
        if (!view.IsLeading || view.Members.Any(static m => m.Kind == MemberKind.Leaving))
        {
            return null;
        }
        if (managers.IsLeading)
        {
            return (CoordinationStep?)Departure(managers, view, standings, nodes)
                ?? NewVoter(view, standings, m => IsDue(managers, m.Id, nodes))
                ?? NewObserver(managers, view, standings, nodes)
                ?? Joining(view, managers.Voters.Where(v => RoleStep.IsWanted(v, nodes)))
                ?? Moved(managers, view);
        }
        return managers.Find(managers.LeaderId) is not { } leader || leader.Id == view.SelfId ? null
            // An observer that leads the managers hands that on, to one that it sees voting here.
            : CoordinationObservers.Has(leader.Id, managers, nodes) ? Joining(view, [leader])
            : view.Find(leader.Id)?.Kind == MemberKind.Voter ? HandOverTo(leader, standings)
            : NewVoter(view, standings, m => m.Id == leader.Id) ?? Joining(view, [leader]);
    }

    // Who is gone for good goes first: the rest is the likelier to agree then.
    private static ChangeMembers? Departure(MembersView managers, MembersView view, IReadOnlyDictionary<ulong, MemberStanding> standings, IReadOnlyCollection<Node> nodes) =>
        view.Members.Where(m => m.Id != view.SelfId && (managers.Find(m.Id) is null || !RoleStep.IsWanted(m, nodes)))
            .OrderBy(m => IsHeard(view, standings, m.Id))
            .FirstOrDefault(m => CanLeave(view, standings, m)) is { } leaver
            ? new([.. view.Members.Where(m => m != leaver)], $"Manager {leaver.Id:x} at {leaver.Address} leaves the coordination's group")
            : null;

    private static bool CanLeave(MembersView view, IReadOnlyDictionary<ulong, MemberStanding> standings, ClusterMember leaver)
    {
        List<ClusterMember> rest = [.. view.Voters.Where(v => v != leaver)];
        return leaver.Kind != MemberKind.Voter || rest.Count(v => IsHeard(view, standings, v.Id)) > rest.Count / 2;
    }

    private static bool IsHeard(MembersView view, IReadOnlyDictionary<ulong, MemberStanding> standings, ulong id) =>
        id == view.SelfId || (standings.GetValueOrDefault(id) is { } standing && standing.Silence < ManagerRoster.LongestSilence);

    private static bool IsDue(MembersView managers, ulong id, IReadOnlyCollection<Node> nodes) =>
        managers.Find(id) is { Kind: MemberKind.Voter } manager && RoleStep.IsWanted(manager, nodes) && !CoordinationObservers.Has(id, managers, nodes);

    private static ChangeMembers? NewObserver(MembersView managers, MembersView view, IReadOnlyDictionary<ulong, MemberStanding> standings, IReadOnlyCollection<Node> nodes) =>
        view.Voters.FirstOrDefault(m => m.Id != view.SelfId && CoordinationObservers.Has(m.Id, managers, nodes) && CanLeave(view, standings, m)) is { } observer
            ? new([.. view.Members.Where(m => m != observer), observer with { Kind = MemberKind.Learner }], $"Manager {observer.Id:x} at {observer.Address} only observes coordination from here on: it does not vote there")
            : null;

    private static ChangeMembers? NewVoter(MembersView view, IReadOnlyDictionary<ulong, MemberStanding> standings, Func<ClusterMember, bool> isDue) =>
        view.Voters.Count() < ManagerRoster.MaxManagers
            && view.Members.FirstOrDefault(m => m.Kind == MemberKind.Learner && isDue(m) && MayVote(standings, m.Id)) is { } learner
            ? new([.. view.Members.Where(m => m != learner), learner with { Kind = MemberKind.Voter }], $"Manager {learner.Id:x} at {learner.Address} has caught up with the coordination's group and votes there from here on")
            : null;

    private static bool MayVote(IReadOnlyDictionary<ulong, MemberStanding> standings, ulong id) =>
        standings.GetValueOrDefault(id) is { IsCaughtUp: true } standing && standing.Silence < LongestSilenceOfVoters;

    private static ChangeMembers? Joining(MembersView view, IEnumerable<ClusterMember> wanted) =>
        wanted.FirstOrDefault(w => view.Find(w.Id) is null) is { } joiner
            ? new([.. view.Members, joiner with { Kind = MemberKind.Learner }], $"Manager {joiner.Id:x} at {joiner.Address} joins the coordination's group; it votes there once it has caught up")
            : null;

    private static ChangeMembers? Moved(MembersView managers, MembersView view) =>
        view.Members.FirstOrDefault(m => managers.Find(m.Id) is { } manager && manager.Address != m.Address) is { } moved
            ? new(
                [.. view.Members.Select(m => m == moved ? m with { Address = managers.Find(m.Id)!.Address } : m)],
                $"Manager {moved.Id:x} is reached at {managers.Find(moved.Id)!.Address} in the coordination's group too")
            : null;

    // Commands wait while the lead is handed over: only to one who can take it at once.
    private static HandOver? HandOverTo(ClusterMember leader, IReadOnlyDictionary<ulong, MemberStanding> standings) =>
        MayVote(standings, leader.Id)
            ? new(leader.Id, $"Manager {leader.Id:x} at {leader.Address} leads the managers: it gets the lead of the coordination's group too")
            : null;

    /// <summary>The group is to have these members.</summary>
    internal sealed record ChangeMembers(IReadOnlyList<ClusterMember> Members, string Why) : CoordinationStep;

    /// <summary>Another is to lead it.</summary>
    internal sealed record HandOver(ulong To, string Why) : CoordinationStep;
}
