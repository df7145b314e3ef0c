namespace Skep.Raft.Tests.Host;

public sealed class ElectionSpreadTests
{
    [Fact]
    public void Members_never_draw_the_same_waits_whatever_small_numbers_they_and_their_seeds_have()
    {
        var seeds = new HashSet<int>();
        for (ulong seed = 0; seed < 64; seed++)
        {
            for (ulong member = 1; member <= 64; member++)
            {
                Assert.True(seeds.Add(RaftHost.Mix(seed, member, group: 7)), $"member {member} with seed {seed} draws what another one draws");
            }
        }
    }
}
