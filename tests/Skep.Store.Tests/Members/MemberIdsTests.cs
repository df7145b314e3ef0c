using Skep.Store.Members;

namespace Skep.Store.Tests.Members;

public sealed class MemberIdsTests
{
    [Fact]
    public void A_joiner_is_another_member_each_time_and_its_nodes_all_the_same()
    {
        var random = new Random(1);
        HashSet<ulong> ids = [.. Enumerable.Range(0, 100).Select(_ => MemberIds.OfJoiner("node", random))];
        Assert.True(ids.Count > 95, $"{ids.Count} different ids of 100");
        Assert.All(ids, static id => Assert.True(MemberIds.IsOf(id, "node") && id != 0));
        Assert.True(MemberIds.IsOf(MemberIds.OfFounder("node"), "node"));
        Assert.DoesNotContain(MemberIds.OfFounder("node"), Enumerable.Range(0, 300_000).Select(_ => MemberIds.OfJoiner("node", random)));
    }

    [Fact]
    public void No_member_is_another_nodes() =>
        Assert.All(Enumerable.Range(0, 1_000), static i => Assert.False(MemberIds.IsOf(MemberIds.OfFounder($"node-{i}"), "node")));
}
