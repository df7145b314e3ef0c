using Skep.Coordination.Client.Recipes;
using Skep.Coordination.Client.Tests.Infrastructure;

namespace Skep.Coordination.Client.Tests.Recipes;

public sealed class Elections_and_groups(ServerFixture fixture) : ServerTest(fixture)
{
    [Fact]
    public async Task The_next_candidate_leads_when_the_leader_resigns_or_dies()
    {
        CoordinationClient ann = await ConnectAsync();
        CoordinationClient bob = await ConnectAsync();
        CoordinationClient eve = await ConnectAsync();
        var watcher = new LeaderElection(eve, "/app/election", "eve");
        Assert.Null(await watcher.GetLeaderAsync());
        await using IAsyncEnumerator<string?> leaders = watcher.ObserveAsync().GetAsyncEnumerator();
        Assert.Null(await leaders.Next("no leader yet"));

        LockHandle first = await new LeaderElection(ann, "/app/election", "ann").CampaignAsync().Within("ann leads");
        Assert.Equal("ann", await leaders.Next("ann leads"));
        Task<LockHandle> second = new LeaderElection(bob, "/app/election", "bob").CampaignAsync();
        Assert.Equal("ann", await watcher.GetLeaderAsync());
        await first.DisposeAsync();
        LockHandle leading = await second.Within("bob leads");
        Assert.True(leading.FencingToken > first.FencingToken);
        Assert.Equal("bob", await leaders.Next("bob leads"));
        Task<LockHandle> third = watcher.CampaignAsync();
        await bob.CloseAsync();
        await third.Within("eve leads");
        await leading.LostToken.Fires("bob is told");
        Assert.Equal("eve", await leaders.Next("eve leads"));
    }

    [Fact]
    public async Task A_group_tells_who_has_come_and_gone()
    {
        CoordinationClient ann = await ConnectAsync();
        CoordinationClient bob = await ConnectAsync();
        var group = new GroupMembership(ann, "/app/group");
        Assert.Empty(await group.GetMembersAsync());
        await using IAsyncEnumerator<IReadOnlyList<GroupMember>> views = group.WatchAsync().GetAsyncEnumerator();
        Assert.Empty(await views.Next("nobody yet"));
        LockHandle annJoined = await group.JoinAsync("ann", Bytes("10.0.0.1"));
        Assert.Equal(["ann"], (await views.Next("ann is there")).Select(m => m.Name));
        await new GroupMembership(bob, "/app/group").JoinAsync("bob", Bytes("10.0.0.2"));
        Assert.Equal(["10.0.0.1", "10.0.0.2"], (await views.Next("bob is there")).Select(m => Text(m.Data)));
        await annJoined.DisposeAsync();
        Assert.Equal(["bob"], (await views.Next("ann has left")).Select(m => m.Name));
        Task<LockHandle> waiting = group.JoinAsync("bob");
        await bob.CloseAsync();
        await waiting.Within("the name is free again");
        await SeesOthers(ann);
        Assert.Equal(["bob"], (await group.GetMembersAsync()).Select(m => m.Name));
    }
}
