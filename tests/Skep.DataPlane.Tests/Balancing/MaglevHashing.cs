using CsCheck;
using Skep.DataPlane.Balancing.Hashing;

namespace Skep.DataPlane.Tests.Balancing;

public sealed class MaglevHashing
{
    private const int PaperSize = 65_537;

    private static (ushort, ulong, int)[] Members(int count, int seed, Func<int, int>? weight = null)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(i => ((ushort)i, (ulong)random.NextInt64(), weight?.Invoke(i) ?? 1))];
    }

    private static int[] Shares(MaglevTable table, int count)
    {
        var shares = new int[count];
        foreach (ushort slot in table.Entries)
        {
            shares[slot]++;
        }
        return shares;
    }

    [Fact]
    public void Equal_backends_differ_by_one_entry_at_most_which_is_the_papers_one_percent_at_a_hundred_entries_each() =>
        Gen.Select(Gen.Int[1, 650], Gen.Int).Sample((count, seed) =>
        {
            int[] shares = Shares(new MaglevTable(Members(count, seed), PaperSize), count);
            Assert.InRange(shares.Max() - shares.Min(), 0, 1);
            Assert.True(shares.Max() <= 1.01 * shares.Min());
        }, iter: 20);

    [Theory]
    // The paper's figure 12 puts a table of 65,537 with 1,000 backends at a few per cent of entries moved needlessly for a few dead.
    [InlineData(100, 1, 0.02)]
    [InlineData(1000, 1, 0.02)]
    [InlineData(1000, 10, 0.06)]
    public void Few_entries_of_living_backends_move_when_some_die(int count, int dead, double bound)
    {
        for (int seed = 0; seed < 5; seed++)
        {
            var members = Members(count, seed);
            var before = new MaglevTable(members, PaperSize);
            var after = new MaglevTable([.. members.Skip(dead)], PaperSize);
            int moved = 0, living = 0;
            for (int i = 0; i < PaperSize; i++)
            {
                bool lives = before.Entries[i] >= dead;
                living += lives ? 1 : 0;
                moved += lives && before.Entries[i] != after.Entries[i] ? 1 : 0;
            }
            Assert.True(moved <= bound * living, $"seed {seed}: {moved} of {living} moved");
        }
    }

    [Fact]
    public void Shares_follow_weights()
    {
        int[] shares = Shares(new MaglevTable(Members(30, 3, i => 1 + i % 3), PaperSize), 30);
        double unit = PaperSize / 60.0;
        Assert.All(Enumerable.Range(0, 30), i => Assert.InRange(shares[i] / (unit * (1 + i % 3)), 0.99, 1.01));
    }

    [Fact]
    public void The_order_in_which_backends_are_listed_does_not_matter()
    {
        var members = Members(50, 9, i => 1 + i % 4);
        Assert.Equal(new MaglevTable(members, 1009).Entries.ToArray(), new MaglevTable([.. members.Reverse()], 1009).Entries.ToArray());
    }

    [Fact]
    public void Flows_spread_as_the_table_does()
    {
        var table = new MaglevTable(Members(10, 4), PaperSize);
        var counts = new int[10];
        for (uint i = 0; i < 100_000; i++)
        {
            var key = new FlowKey(Skep.DataPlane.Packets.IpAddr.V4(0x0A000000 + i / 100), Rig.Vip4, (ushort)(1024 + i % 100), 80, 6);
            counts[table.Choose(key.Hash(1))]++;
        }
        // Six standard deviations of a binomial of 100,000 tenths.
        Assert.All(counts, c => Assert.InRange(c, 10_000 - 570, 10_000 + 570));
    }
}
