using Docker.Swarmkit.V1;
using Skep.Manager.Roles;
using Skep.Store.Members;

namespace Skep.Manager.Tests.Roles;

/// <summary>What a leader does about who manages, one step at a time.</summary>
public sealed class Next_step_of_roles
{
    private readonly List<Node> nodes = [];
    private readonly List<ClusterMember> members = [];
    private readonly Dictionary<ulong, MemberStanding> standings = [];
    private readonly HashSet<ulong> unreachable = [];

    private ulong Self => members[0].Id;

    [Fact]
    public void Nothing_is_done_where_all_is_as_wanted()
    {
        Three();
        Assert.Null(Next());
    }

    [Fact]
    public void Who_does_not_lead_does_nothing()
    {
        Three();
        nodes[2].Spec.DesiredRole = NodeRole.Worker;
        Assert.Null(Next(leads: false));
    }

    [Fact]
    public void A_promoted_node_gets_the_role_before_it_is_a_member()
    {
        Three();
        nodes.Add(new Node { Id = "worker", Role = NodeRole.Worker, Spec = new() { DesiredRole = NodeRole.Manager } });
        Assert.Equal(("worker", NodeRole.Manager), Next() is RoleStep.SetRole step ? (step.NodeId, step.Role) : default);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_learner_votes_once_it_has_caught_up(bool caughtUp)
    {
        Three();
        Add("four", MemberKind.Learner, caughtUp);
        nodes[3].ManagerStatus = null;
        var step = Next() as RoleStep.ChangeMembers;
        Assert.Equal(caughtUp, step is not null);
        Assert.All(step?.Members ?? [], static m => Assert.Equal(MemberKind.Voter, m.Kind));
    }

    [Fact]
    public void A_learner_that_had_caught_up_and_answers_no_more_does_not_vote()
    {
        Three();
        Add("four", MemberKind.Learner);
        nodes[3].ManagerStatus = null;
        standings[members[3].Id] = standings[members[3].Id] with { Silence = TimeSpan.FromSeconds(1) };
        Assert.Null(Next());
    }

    [Fact]
    public void A_learner_that_is_to_be_a_worker_leaves_and_does_not_vote()
    {
        Three();
        Add("four", MemberKind.Learner);
        nodes[3].Spec.DesiredRole = NodeRole.Worker;
        Assert.Equal(members.Take(3), Assert.IsType<RoleStep.ChangeMembers>(Next()).Members);
    }

    [Fact]
    public void A_demoted_manager_leaves_the_group_first_and_loses_the_role_then()
    {
        Three();
        nodes[2].Spec.DesiredRole = NodeRole.Worker;
        var leaving = Assert.IsType<RoleStep.ChangeMembers>(Next());
        Assert.Equal(members.Take(2), leaving.Members);

        members.RemoveAt(2);
        var role = Assert.IsType<RoleStep.SetRole>(Next());
        Assert.Equal((nodes[2].Id, NodeRole.Worker), (role.NodeId, role.Role));
    }

    [Fact]
    public void A_demoted_manager_leaves_the_coordinations_group_before_this_one()
    {
        Three();
        nodes[2].Spec.DesiredRole = NodeRole.Worker;
        Assert.IsType<RoleStep.Wait>(Next(coordination: Coordination(3)));
        Assert.IsType<RoleStep.Wait>(Next(coordination: Coordination(3) with { Members = [.. members.Take(2), members[2] with { Kind = MemberKind.Leaving }] }));
        Assert.Equal(members.Take(2), Assert.IsType<RoleStep.ChangeMembers>(Next(coordination: Coordination(2))).Members);
    }

    [Fact]
    public void Of_two_managers_one_leaves_only_once_the_other_has_the_coordinations_group_alone()
    {
        Add("one");
        Add("two");
        nodes[1].Spec.DesiredRole = NodeRole.Worker;
        Assert.IsType<RoleStep.Wait>(Next(coordination: Coordination(2)));
        Assert.Equal(members.Take(1), Assert.IsType<RoleStep.ChangeMembers>(Next(coordination: Coordination(1))).Members);
    }

    [Fact]
    public void Whether_a_manager_has_left_the_coordinations_group_only_its_leader_knows()
    {
        Three();
        nodes[2].Spec.DesiredRole = NodeRole.Worker;
        var wait = Assert.IsType<RoleStep.Wait>(Next(coordination: Coordination(2) with { IsLeading = false, LeaderId = members[1].Id }));
        Assert.Contains($"manager {members[1].Id:x} leads the coordination's group", wait.Why, StringComparison.Ordinal);
    }

    [Fact]
    public void Where_the_coordinations_group_has_had_no_leader_for_long_a_manager_leaves_all_the_same()
    {
        Three();
        nodes[2].Spec.DesiredRole = NodeRole.Worker;
        MembersView leaderless = Coordination(3) with { IsLeading = false, LeaderId = 0 };
        Assert.IsType<RoleStep.Wait>(Next(coordination: leaderless));
        Assert.IsType<RoleStep.ChangeMembers>(Next(coordination: leaderless, waits: false));
    }

    [Fact]
    public void Who_waits_keeps_nothing_else_from_being_done()
    {
        Three();
        nodes[2].Spec.DesiredRole = NodeRole.Worker;
        nodes[1].ManagerStatus = null;
        Assert.IsType<RoleStep.NoteManager>(Next(coordination: Coordination(3)));
    }

    [Fact]
    public void A_learner_that_is_to_be_a_worker_waits_for_no_group_that_it_is_not_in()
    {
        Three();
        Add("four", MemberKind.Learner);
        nodes[3].Spec.DesiredRole = NodeRole.Worker;
        nodes[3].ManagerStatus = null;
        Assert.IsType<RoleStep.ChangeMembers>(Next(coordination: Coordination(3) with { IsLeading = false, LeaderId = 0 }));
    }

    [Fact]
    public void A_leader_that_is_demoted_hands_the_lead_to_one_that_can_take_the_coordinations_too()
    {
        Three();
        nodes[0].Spec.DesiredRole = NodeRole.Worker;
        standings[members[2].Id] = standings[members[2].Id] with { LagEntries = 5 };
        MembersView without = Coordination(3) with { Members = [members[0], members[1] with { Kind = MemberKind.Learner }, members[2]] };
        Assert.Equal(members[2].Id, Assert.IsType<RoleStep.HandOver>(Next(coordination: without)).To);
    }

    [Fact]
    public void While_a_voter_is_leaving_nothing_else_is_begun()
    {
        Three();
        members[2] = members[2] with { Kind = MemberKind.Leaving };
        nodes[1].Spec.DesiredRole = NodeRole.Worker;
        Assert.Null(Next());
    }

    [Fact]
    public void A_leader_that_is_demoted_hands_the_lead_to_who_is_furthest_of_those_that_answer()
    {
        Three();
        nodes[0].Spec.DesiredRole = NodeRole.Worker;
        standings[members[1].Id] = standings[members[1].Id] with { LagEntries = 5 };
        Assert.Equal(members[2].Id, Assert.IsType<RoleStep.HandOver>(Next()).To);
    }

    [Fact]
    public void A_leader_whose_disk_is_full_hands_the_lead_to_another_if_there_is_one()
    {
        Three();
        unreachable.Add(members[1].Id);
        Assert.Equal(members[2].Id, Assert.IsType<RoleStep.HandOver>(Next(full: true)).To);
        unreachable.Add(members[2].Id);
        Assert.Null(Next(full: true));
    }

    [Fact]
    public void Nobody_leaves_when_the_rest_could_not_agree()
    {
        Three();
        nodes[2].Spec.DesiredRole = NodeRole.Worker;
        unreachable.Add(members[1].Id);
        Assert.Null(Next());
    }

    [Fact]
    public void A_manager_that_is_gone_can_be_let_go_while_the_rest_agree()
    {
        Three();
        nodes[2].Spec.DesiredRole = NodeRole.Worker;
        unreachable.Add(members[2].Id);
        Assert.IsType<RoleStep.ChangeMembers>(Next());
    }

    [Fact]
    public void The_last_manager_stays()
    {
        Add("one");
        nodes[0].Spec.DesiredRole = NodeRole.Worker;
        Assert.Null(Next());
    }

    [Fact]
    public void A_member_whose_node_was_removed_leaves()
    {
        Three();
        nodes.RemoveAt(2);
        Assert.Equal(members.Take(2), Assert.IsType<RoleStep.ChangeMembers>(Next()).Members);
    }

    [Fact]
    public void Where_managers_are_is_noted_with_their_nodes_and_taken_off_again()
    {
        Three();
        nodes[1].ManagerStatus = null;
        var note = Assert.IsType<RoleStep.NoteManager>(Next());
        Assert.Equal((nodes[1].Id, members[1].Address), (note.NodeId, note.Status?.Addr));

        nodes[1].ManagerStatus = note.Status;
        nodes.Add(new Node { Id = "former", Role = NodeRole.Worker, Spec = new(), ManagerStatus = new() { RaftId = 9, Addr = "10.0.0.9:4242" } });
        note = Assert.IsType<RoleStep.NoteManager>(Next());
        Assert.Equal("former", note.NodeId);
        Assert.Null(note.Status);
    }

    [Fact]
    public void A_leader_that_only_observes_coordination_hands_the_lead_to_one_that_votes_there()
    {
        Three();
        nodes[0].Spec.Annotations = nodes[1].Spec.Annotations = new() { Labels = { ["skep.coordination"] = "observer" } };
        Assert.Equal(members[2].Id, Assert.IsType<RoleStep.HandOver>(Next(coordination: Coordination(3))).To);

        unreachable.Add(members[2].Id);
        Assert.Null(Next(coordination: Coordination(3)));
        unreachable.Clear();
        Assert.Null(Next(coordination: Coordination(2)));

        standings[members[2].Id] = standings[members[2].Id] with { IsCaughtUp = false };
        Assert.Null(Next(coordination: Coordination(3)));
    }

    [Fact]
    public void A_leader_all_of_whose_like_are_labelled_keeps_the_lead()
    {
        Three();
        nodes.ForEach(static n => n.Spec.Annotations = new() { Labels = { ["skep.coordination"] = "observer" } });
        Assert.Null(Next(coordination: Coordination(3)));
    }

    private RoleStep? Next(bool leads = true, bool full = false, MembersView? coordination = null, bool waits = true) =>
        RoleStep.Next(new MembersView(Self, leads, 1, Self, [.. members], 10, 10, 10), standings, nodes, (_, id) => !unreachable.Contains(id), full, coordination, waits);

    // Led here too, with the first of the managers.
    private MembersView Coordination(int count) => new(Self, true, 1, Self, [.. members.Take(count)], 10, 10, 10);

    private void Three()
    {
        Add("one");
        Add("two");
        Add("three");
    }

    private void Add(string nodeId, MemberKind kind = MemberKind.Voter, bool caughtUp = true)
    {
        ulong id = MemberIds.OfFounder(nodeId);
        string address = $"10.0.0.{members.Count + 1}:4242";
        members.Add(new(id, address, kind));
        standings[id] = new(id, 0, TimeSpan.Zero, caughtUp);
        nodes.Add(new Node
        {
            Id = nodeId,
            Role = NodeRole.Manager,
            Spec = new() { DesiredRole = NodeRole.Manager },
            ManagerStatus = new() { RaftId = id, Addr = address },
        });
    }
}
