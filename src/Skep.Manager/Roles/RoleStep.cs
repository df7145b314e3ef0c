using Docker.Swarmkit.V1;
using Skep.Store.Members;

namespace Skep.Manager.Roles;

/// <summary>The next thing a leader does about who manages; a pure function of what is there.</summary>
internal abstract record RoleStep
{
    private static readonly TimeSpan LongestSilenceOfVoters = TimeSpan.FromMilliseconds(500);

    /// <param name="view">The group as its leader sees it.</param>
    /// <param name="standings">What the leader knows of the members.</param>
    /// <param name="nodes">The nodes that are, are to be, or were managers.</param>
    /// <param name="isReachable">Whether a member answers.</param>
    /// <param name="isDiskFull">Whether the leader's own disk is full.</param>
    /// <param name="coordination">The coordination's group as the leader sees it; null where there is none.</param>
    /// <param name="waits">Whether who is to leave waits until it has left that group.</param>
    /// <returns>null when all is as is wanted, or only time helps.</returns>
    public static RoleStep? Next(
        MembersView view, IReadOnlyDictionary<ulong, MemberStanding> standings, IReadOnlyCollection<Node> nodes, Func<MembersView, ulong, bool> isReachable,
        bool isDiskFull = false, MembersView? coordination = null, bool waits = true)
    {
        // While a change is under way the group refuses another.
        if (!view.IsLeading || view.Members.Any(static m => m.Kind == MemberKind.Leaving))
        {
            return null;
        }
        if (isDiskFull)
        {
            // What this leader writes down elsewhere waits for its own disk too.
            return Furthest(view, standings, isReachable, coordination) is { } next
                ? new HandOver(next.Id, $"The disk of this manager is full: it hands the lead to {next.Id:x} at {next.Address}")
                : null;
        }
        RoleStep? departure = Departure(view, standings, nodes, isReachable, coordination, waits);
        return (RoleStep?)Promotion(nodes)
            ?? NewVoter(view, standings, nodes)
            ?? (departure is Wait ? null : departure)
            ?? (RoleStep?)Demotion(view, nodes)
            ?? (RoleStep?)Note(view, nodes)
            ?? departure
            ?? (RoleStep?)Observer(view, standings, nodes, isReachable, coordination);
    }

    private static SetRole? Promotion(IEnumerable<Node> nodes) =>
        nodes.FirstOrDefault(static n => n is { Role: NodeRole.Worker, Spec.DesiredRole: NodeRole.Manager }) is { } node
            ? new(node.Id, NodeRole.Manager, $"Node {node.Id} is promoted: it gets a manager's certificate and joins the managers")
            : null;

    // One that had caught up and is gone since would count in the majority all the same: the leader hears from members 20 times a second.
    private static ChangeMembers? NewVoter(MembersView view, IReadOnlyDictionary<ulong, MemberStanding> standings, IReadOnlyCollection<Node> nodes) =>
        view.Members.FirstOrDefault(m => m.Kind == MemberKind.Learner && IsWanted(m, nodes)
            && standings.GetValueOrDefault(m.Id) is { IsCaughtUp: true } standing && standing.Silence < LongestSilenceOfVoters) is { } learner
            ? new([.. view.Members.Where(m => m != learner), learner with { Kind = MemberKind.Voter }], $"Manager {learner.Id:x} at {learner.Address} has caught up and votes from here on")
            : null;

    private static RoleStep? Departure(
        MembersView view, IReadOnlyDictionary<ulong, MemberStanding> standings, IReadOnlyCollection<Node> nodes, Func<MembersView, ulong, bool> isReachable,
        MembersView? coordination, bool waits)
    {
        ClusterMember? leaver = view.Members.FirstOrDefault(m => !IsWanted(m, nodes));
        if (leaver is null)
        {
            return null;
        }
        List<ClusterMember> rest = [.. view.Members.Where(m => m != leaver)];
        List<ClusterMember> voters = [.. rest.Where(static m => m.Kind == MemberKind.Voter)];
        if (voters.Count == 0 || (leaver.Kind == MemberKind.Voter && voters.Count(v => isReachable(view, v.Id)) <= voters.Count / 2))
        {
            return null;
        }
        if (leaver.Id != view.SelfId)
        {
            return waits && Hindrance(coordination, leaver) is { } why
                ? new Wait(why)
                : new ChangeMembers(rest, $"Manager {leaver.Id:x} at {leaver.Address} leaves the managers");
        }
        ClusterMember next = Furthest(view, standings, isReachable, coordination)!;
        return new HandOver(next.Id, $"This manager leaves the managers and hands the lead to {next.Id:x} at {next.Address}");
    }

    // Once it is out of this group its manager ends, and with it its voice in the other. Only that group's leader knows who is in it,
    // though who does not vote here was never taken in there.
    private static string? Hindrance(MembersView? coordination, ClusterMember leaver) =>
        coordination is null || (coordination.Find(leaver.Id) is null && (coordination.IsLeading || leaver.Kind == MemberKind.Learner)) ? null
        : coordination.IsLeading ? $"manager {leaver.Id:x} at {leaver.Address} is still in the coordination's group: it leaves that one first, once the rest of it can agree"
        : coordination.LeaderId != 0 ? $"manager {coordination.LeaderId:x} leads the coordination's group, and is to hand it to this one, which leads the managers"
        : "the coordination's group has no leader that is known here";

    /// <summary>Whether a member's node is to be a manager.</summary>
    public static bool IsWanted(ClusterMember member, IEnumerable<Node> nodes) =>
        nodes.Any(n => n.Spec?.DesiredRole == NodeRole.Manager && MemberIds.IsOf(member.Id, n.Id));

    // One that can take the coordination's lead as well, if there is one.
    private static ClusterMember? Furthest(
        MembersView view, IReadOnlyDictionary<ulong, MemberStanding> standings, Func<MembersView, ulong, bool> isReachable, MembersView? coordination) =>
        view.Voters.Where(v => v.Id != view.SelfId && isReachable(view, v.Id))
            .OrderByDescending(v => coordination?.Find(v.Id)?.Kind == MemberKind.Voter)
            .ThenBy(v => standings.GetValueOrDefault(v.Id)?.LagEntries ?? ulong.MaxValue)
            .FirstOrDefault();

    // Who leads the managers leads coordination too, which an observer cannot.
    private static HandOver? Observer(
        MembersView view, IReadOnlyDictionary<ulong, MemberStanding> standings, IReadOnlyCollection<Node> nodes, Func<MembersView, ulong, bool> isReachable, MembersView? coordination) =>
        CoordinationObservers.Has(view.SelfId, view, nodes)
            && Furthest(view, standings, (v, id) => isReachable(v, id) && !CoordinationObservers.Has(id, view, nodes), coordination) is { } next
            && coordination?.Find(next.Id)?.Kind == MemberKind.Voter
            && standings.GetValueOrDefault(next.Id) is { IsCaughtUp: true } standing && standing.Silence < LongestSilenceOfVoters
            ? new(next.Id, $"This manager only observes coordination: it hands the lead to {next.Id:x} at {next.Address}") { CanWait = true }
            : null;

    private static SetRole? Demotion(MembersView view, IEnumerable<Node> nodes) =>
        nodes.FirstOrDefault(n => n is { Role: NodeRole.Manager, Spec.DesiredRole: NodeRole.Worker } && view.OfNode(n.Id) is null) is { } node
            ? new(node.Id, NodeRole.Worker, $"Node {node.Id} is demoted: it is no member any more and gets a worker's certificate")
            : null;

    // Nodes and watchers read from the store where the managers are; who leads and who answers is told at each call.
    private static NoteManager? Note(MembersView view, IEnumerable<Node> nodes)
    {
        foreach (Node node in nodes)
        {
            ClusterMember? member = view.OfNode(node.Id);
            ManagerStatus? status = member is { Kind: MemberKind.Voter } ? new() { RaftId = member.Id, Addr = member.Address } : null;
            if (!Equals(status, node.ManagerStatus))
            {
                return new(node.Id, status);
            }
        }
        return null;
    }

    /// <summary>The group is to have these members.</summary>
    internal sealed record ChangeMembers(IReadOnlyList<ClusterMember> Members, string Why) : RoleStep;

    /// <summary>Another is to lead.</summary>
    internal sealed record HandOver(ulong To, string Why) : RoleStep
    {
        /// <summary>Whether it may be tried less and less often: nothing is amiss until it is done.</summary>
        public bool CanWait { get; init; }
    }

    /// <summary>Somebody is to leave, and must not yet.</summary>
    internal sealed record Wait(string Why) : RoleStep;

    /// <summary>A node's certificate is to say this role from its next renewal on.</summary>
    internal sealed record SetRole(string NodeId, NodeRole Role, string Why) : RoleStep;

    /// <summary>A node's object is to say that it is a manager, and where; or nothing.</summary>
    internal sealed record NoteManager(string NodeId, ManagerStatus? Status) : RoleStep;
}
