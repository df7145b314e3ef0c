using Docker.Swarmkit.V1;
using Skep.Manager.Roles;
using Skep.Store.Members;

namespace Skep.Manager.Tests.Roles;

/// <summary>How the coordination's group follows the managers, one step at a time.</summary>
public sealed class Next_step_of_coordination
{
    private readonly List<Node> nodes = [];
    private readonly List<ClusterMember> managers = [];
    private readonly List<ClusterMember> members = [];
    private readonly Dictionary<ulong, MemberStanding> standings = [];

    private ulong Self => managers[0].Id;

    [Fact]
    public void Nothing_is_done_where_its_members_are_the_managers()
    {
        Three();
        Assert.Null(Next());
    }

    [Fact]
    public void Who_does_not_lead_it_does_nothing()
    {
        Three();
        nodes.RemoveAt(2);
        Assert.Null(Next(leads: false));
    }

    [Fact]
    public void A_manager_that_votes_joins_it_as_a_learner()
    {
        Three();
        members.RemoveAt(2);
        Assert.Equal([.. managers.Take(2), managers[2] with { Kind = MemberKind.Learner }], Change().Members);
    }

    [Fact]
    public void A_manager_that_does_not_vote_yet_stays_outside()
    {
        Three();
        members.RemoveAt(2);
        managers[2] = managers[2] with { Kind = MemberKind.Learner };
        Assert.Null(Next());
    }

    [Theory]
    [InlineData(true, 0, true)]
    [InlineData(false, 0, false)]
    [InlineData(true, 1000, false)]
    public void A_learner_votes_once_it_has_caught_up_and_answers(bool caughtUp, int silenceMs, bool votes)
    {
        Three();
        members[2] = members[2] with { Kind = MemberKind.Learner };
        standings[members[2].Id] = new(members[2].Id, 0, TimeSpan.FromMilliseconds(silenceMs), caughtUp);
        Assert.Equal(votes, Next() is CoordinationStep.ChangeMembers change && change.Members.SequenceEqual(managers));
    }

    [Fact]
    public void Who_is_to_be_a_worker_leaves_it_while_it_is_a_manager_still()
    {
        Three();
        nodes[2].Spec.DesiredRole = NodeRole.Worker;
        Assert.Equal(managers.Take(2), Change().Members);
    }

    [Fact]
    public void Of_two_one_leaves_and_the_other_has_it_alone()
    {
        Add("one");
        Add("two");
        nodes[1].Spec.DesiredRole = NodeRole.Worker;
        Assert.Equal(managers.Take(1), Change().Members);
    }

    [Fact]
    public void A_member_that_is_no_manager_any_more_is_removed()
    {
        Three();
        managers.RemoveAt(1);
        Assert.DoesNotContain(Change().Members, m => m.Address == "10.0.0.2:4242");
    }

    [Fact]
    public void Nobody_leaves_when_the_rest_could_not_agree_and_who_is_gone_leaves_first()
    {
        Three();
        nodes[1].Spec.DesiredRole = NodeRole.Worker;
        Silence(2);
        Assert.Null(Next());

        nodes[2].Spec.DesiredRole = NodeRole.Worker;
        Assert.Equal(managers.Take(2), Change().Members);
    }

    [Fact]
    public void A_manager_that_moved_is_reached_at_its_new_address_there_too()
    {
        Three();
        managers[1] = managers[1] with { Address = "10.0.0.22:4242" };
        Assert.Equal(managers, Change().Members);
    }

    [Fact]
    public void While_a_voter_is_leaving_nothing_else_is_begun()
    {
        Three();
        members[2] = members[2] with { Kind = MemberKind.Leaving };
        nodes.RemoveAt(1);
        Assert.Null(Next());
    }

    [Fact]
    public void Its_lead_goes_to_who_leads_the_managers()
    {
        Three();
        Assert.Equal(managers[1].Id, Assert.IsType<CoordinationStep.HandOver>(Next(leaderOfManagers: 1)).To);
        Silence(1);
        Assert.Null(Next(leaderOfManagers: 1));
    }

    [Fact]
    public void Who_leads_the_managers_and_is_not_in_it_is_brought_in_first()
    {
        Three();
        members.RemoveAt(1);
        Assert.Equal(MemberKind.Learner, Change(leaderOfManagers: 1).Members[^1].Kind);

        members.Add(managers[1] with { Kind = MemberKind.Learner });
        Assert.All(Change(leaderOfManagers: 1).Members, static m => Assert.Equal(MemberKind.Voter, m.Kind));
    }

    [Fact]
    public void A_manager_that_is_to_observe_stops_voting_and_stays_a_learner()
    {
        Three();
        Observe(2);
        Assert.Equal([.. managers.Take(2), managers[2] with { Kind = MemberKind.Learner }], Change().Members);

        members[2] = members[2] with { Kind = MemberKind.Learner };
        Assert.Null(Next());
    }

    [Fact]
    public void An_observer_that_is_none_any_more_votes_again()
    {
        Three();
        members[2] = members[2] with { Kind = MemberKind.Learner };
        Assert.Equal(managers, Change().Members);
    }

    [Fact]
    public void Nobody_stops_voting_where_the_rest_could_not_agree()
    {
        Three();
        Observe(2);
        Silence(1);
        Assert.Null(Next());
    }

    [Fact]
    public void Where_all_are_labelled_all_vote()
    {
        Three();
        Observe(0);
        Observe(1);
        Observe(2);
        Assert.Null(Next());

        members[1] = members[1] with { Kind = MemberKind.Learner };
        Assert.Equal(managers.ToHashSet(), Change().Members.ToHashSet());
    }

    [Fact]
    public void When_the_only_one_that_votes_is_demoted_the_observer_gets_the_vote_and_the_lead()
    {
        Add("one");
        Add("two");
        Observe(1);
        members[1] = members[1] with { Kind = MemberKind.Learner };
        Assert.Null(Next());

        nodes[0].Spec.DesiredRole = NodeRole.Worker;
        Assert.Equal(managers, Change(leaderOfManagers: 1).Members);
        members[1] = managers[1];
        Assert.Equal(managers[1].Id, Assert.IsType<CoordinationStep.HandOver>(Next(leaderOfManagers: 1)).To);
    }

    [Fact]
    public void An_observer_that_leads_the_managers_and_is_not_in_it_is_brought_in()
    {
        Three();
        Observe(1);
        members.RemoveAt(1);
        Assert.Equal(managers[1] with { Kind = MemberKind.Learner }, Change(leaderOfManagers: 1).Members[^1]);
    }

    [Fact]
    public void An_observer_that_leads_the_managers_gets_neither_a_vote_nor_the_lead()
    {
        Three();
        Observe(1);
        Assert.Null(Next(leaderOfManagers: 1));
        members[1] = members[1] with { Kind = MemberKind.Learner };
        Assert.Null(Next(leaderOfManagers: 1));
    }

    [Fact]
    public void Who_does_not_lead_the_managers_removes_nobody()
    {
        Three();
        nodes.RemoveAt(2);
        managers.RemoveAt(2);
        Assert.IsType<CoordinationStep.HandOver>(Next(leaderOfManagers: 1));
        Assert.Null(Next(leaderOfManagers: null));
    }

    private CoordinationStep.ChangeMembers Change(int? leaderOfManagers = 0) => Assert.IsType<CoordinationStep.ChangeMembers>(Next(leaderOfManagers: leaderOfManagers));

    private CoordinationStep? Next(bool leads = true, int? leaderOfManagers = 0) => CoordinationStep.Next(
        new MembersView(Self, leaderOfManagers == 0, 1, leaderOfManagers is { } at ? managers[at].Id : 0, [.. managers], 10, 10, 10),
        new MembersView(Self, leads, 1, leads ? Self : 0, [.. members], 10, 10, 10),
        standings,
        nodes);

    private void Silence(int member) => standings[members[member].Id] = standings[members[member].Id] with { Silence = TimeSpan.FromSeconds(5) };

    private void Observe(int manager) => nodes[manager].Spec.Annotations = new() { Labels = { ["skep.coordination"] = "observer" } };

    private void Three()
    {
        Add("one");
        Add("two");
        Add("three");
    }

    private void Add(string nodeId)
    {
        ulong id = MemberIds.OfFounder(nodeId);
        var member = new ClusterMember(id, $"10.0.0.{managers.Count + 1}:4242", MemberKind.Voter);
        managers.Add(member);
        members.Add(member);
        standings[id] = new(id, 0, TimeSpan.Zero, true);
        nodes.Add(new Node { Id = nodeId, Role = NodeRole.Manager, Spec = new() { DesiredRole = NodeRole.Manager } });
    }
}
