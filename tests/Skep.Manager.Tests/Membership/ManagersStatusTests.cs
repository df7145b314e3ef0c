using Docker.Swarmkit.V1;
using Skep.Manager.Control;
using Skep.Manager.Membership;
using Skep.Manager.Tests.Control;
using Skep.Store.Members;
using Skep.V1;
using Kind = Skep.V1.ManagerMember.Types.Kind;
using Reachability = Docker.Swarmkit.V1.RaftMemberStatus.Types.Reachability;

namespace Skep.Manager.Tests.Membership;

/// <summary>What a manager answers when it is asked how they fare.</summary>
public sealed class ManagersStatusTests
{
    private const string Other = "node0000000000000000000002";
    private static readonly ulong Self = MemberIds.OfFounder(ControlCluster.ManagerId);
    private static readonly ulong Second = MemberIds.OfFounder(Other);
    private static readonly DateTimeOffset Now = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void A_leader_tells_lag_and_since_when_a_member_is_silent()
    {
        ManagersStatus status = Report(isLeading: true, new() { [Self] = new(Self, 0, TimeSpan.Zero, true), [Second] = new(Second, 12, TimeSpan.FromMinutes(3), false) }, up: Self);

        Assert.Equal((5UL, 90UL, false), (status.Term, status.CommitIndex, status.MayBeStale));
        Assert.Equal((true, true, 0UL, 89UL), (status.Members[0].Leader, status.Members[0].Reachable, status.Members[0].LagEntries, status.Members[0].AppliedIndex));
        Assert.Equal((false, 12UL, Now.AddMinutes(-3)), (status.Members[1].Reachable, status.Members[1].LagEntries, status.Members[1].UnreachableSince.ToDateTimeOffset()));
        Assert.False(status.Members[1].HasAppliedIndex);
    }

    [Fact]
    public void One_that_does_not_lead_knows_no_lag_and_without_a_leader_says_that_it_may_be_out_of_date()
    {
        // Standings of when it led last.
        ManagersStatus status = Report(isLeading: false, new() { [Second] = new(Second, 12, TimeSpan.FromMinutes(3), false) }, up: Self);

        Assert.True(status.MayBeStale);
        Assert.Equal((false, null), (status.Members[1].HasLagEntries, status.Members[1].UnreachableSince));
    }

    [Fact]
    public async Task The_service_names_the_members_nodes_and_says_who_is_missing()
    {
        using var cluster = new ControlCluster();
        cluster.Add(new Node { Id = Other, Description = new() { Hostname = "node-2" }, Spec = new() });
        var service = new ManagersService(cluster.Store, new Fixed(Report(isLeading: true, [], up: Self)), ControlCluster.ManagerId, cluster.Time);

        ManagersStatus status = await service.Status(new(), null!);

        Assert.Equal((ControlCluster.ManagerId, ControlCluster.ManagerId), (status.AnsweredBy, status.Leader));
        Assert.Equal("node-2", Assert.Single(status.Members, m => m.NodeId == Other).Hostname);
        Assert.Equal((false, Other), (status.HasQuorum, Assert.Single(status.Missing)));
        Assert.Equal("1 of 2 managers answers and 2 are needed", status.Why);
    }

    [Fact]
    public void A_manager_is_reachable_among_the_nodes_once_it_votes_in_both_groups()
    {
        Assert.Equal(Reachability.Reachable, Shown(answers: true, MemberKind.Voter, MemberKind.Voter));
        Assert.Equal(Reachability.Reachable, Shown(answers: true, MemberKind.Leaving, MemberKind.Voter));
        Assert.Equal(Reachability.Unknown, Shown(answers: true, MemberKind.Learner, null));
        Assert.Equal(Reachability.Unknown, Shown(answers: true, MemberKind.Voter, MemberKind.Learner));
        Assert.Equal(Reachability.Unknown, Shown(answers: true, MemberKind.Voter, null));
        Assert.Equal(Reachability.Unreachable, Shown(answers: false, MemberKind.Voter, MemberKind.Voter));
        Assert.Equal(Reachability.Unreachable, Shown(answers: false, MemberKind.Learner, null));
    }

    private static Reachability Shown(bool answers, MemberKind inManagers, MemberKind? inCoordination) =>
        ManagersReport.ReachabilityOf(Second, answers, Group(inManagers), Group(inCoordination));

    private static MembersView Group(MemberKind? kindOfSecond) =>
        new(Self, true, 5, Self, [new(Self, "10.0.0.1:4242", MemberKind.Voter), .. kindOfSecond is { } kind ? [new ClusterMember(Second, "10.0.0.2:4242", kind)] : Array.Empty<ClusterMember>()], 91, 90, 89);

    private static ManagersStatus Report(bool isLeading, Dictionary<ulong, MemberStanding> standings, ulong up)
    {
        var view = new MembersView(
            Self, isLeading, 5, isLeading ? Self : 0, [new(Self, "10.0.0.1:4242", MemberKind.Voter), new(Second, "10.0.0.2:4242", MemberKind.Voter), new(9, "10.0.0.3:4242", MemberKind.Learner)], 91, 90, 89);
        ManagersStatus status = ManagersReport.Of(view, standings, id => id == up, Now);
        Assert.Equal([Kind.Voter, Kind.Voter, Kind.Learner], status.Members.Select(m => m.Kind));
        return status;
    }

    private sealed class Fixed(ManagersStatus status) : IManagerMembers
    {
        public string? FullReason => null;

        public ManagerStatus? Find(string nodeId) => null;

        public bool CanLose(string nodeId) => false;

        public ManagersStatus Status() => status.Clone();
    }
}
