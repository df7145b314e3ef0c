using Docker.Swarmkit.V1;
using Skep.Manager.Tests.Support;
using Skep.Store.Members;

namespace Skep.Manager.Tests.Roles;

/// <summary>The coordination's group beside the managers' one, on real logs.</summary>
public sealed class The_coordinations_group_follows
{
    [Fact]
    public async Task Its_lead_goes_where_the_managers_lead_goes()
    {
        await using TwoGroups groups = await TwoGroups.OfAsync(3);
        TwoGroups.One next = groups[2];

        await groups.LeaderOf(static m => m.Managers).Managers.TransferAsync(next.Store.MemberId, TestContext.Current.CancellationToken);

        await groups.UntilAsync("the second manager leads both groups", () => next.Managers.View.IsLeading && next.Coordination.View.IsLeading);
        await next.ProposeAsync("goes on");
    }

    [Fact]
    public async Task A_lead_that_is_lost_on_its_way_comes_back()
    {
        await using TwoGroups groups = await TwoGroups.OfAsync(3);
        TwoGroups.One leader = groups.LeaderOf(static m => m.Managers);

        await leader.Coordination.TransferAsync(groups[3].Store.MemberId, TestContext.Current.CancellationToken);

        await groups.UntilAsync("the leader of the managers leads both groups again", () => leader.Managers.View.IsLeading && leader.Coordination.View.IsLeading);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Of_two_managers_either_can_be_demoted_and_the_other_goes_on_with_both_groups(int demoted)
    {
        await using TwoGroups groups = await TwoGroups.OfAsync(2);
        TwoGroups.One leaver = groups[demoted], left = groups[3 - demoted];

        await groups.SetRoleAsync(leaver.NodeId, NodeRole.Worker);
        await groups.UntilAsync("it has a worker's role", () => left.Store.Store.Read(v => v.Get<Node>(leaver.NodeId)) is { Role: NodeRole.Worker });

        Assert.Equal(left.Store.MemberId, Assert.Single(left.Coordination.View.Members).Id);
        Assert.Equal(left.Store.MemberId, Assert.Single(left.Managers.View.Members).Id);
        await leaver.DisposeAsync();
        await left.ProposeAsync("alone");
    }

    [Fact]
    public async Task Three_become_one_and_it_goes_on_with_both_groups()
    {
        await using TwoGroups groups = await TwoGroups.OfAsync(3);

        await groups.SetRoleAsync("node-2", NodeRole.Worker);
        await groups.SetRoleAsync("node-3", NodeRole.Worker);
        await groups.UntilAsync("the first manager is alone in both groups", () => IsAlone(groups[1].Managers) && IsAlone(groups[1].Coordination));

        await groups[2].DisposeAsync();
        await groups[3].DisposeAsync();
        await groups[1].ProposeAsync("alone");

        static bool IsAlone(StoreMembers members) => members.View is { IsLeading: true, Members.Count: 1 };
    }
}
