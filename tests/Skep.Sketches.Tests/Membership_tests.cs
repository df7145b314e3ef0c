using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Skep.Sketches.Tests;

public sealed class Membership
{
    [Fact]
    public void All_ways_to_the_bits_of_a_block_agree()
    {
        var random = new Random(1);
        uint[] block = new uint[SplitBlock.Lanes], scalar = new uint[SplitBlock.Lanes], shared = new uint[SplitBlock.Lanes];
        for (int i = 0; i < 20_000; i++)
        {
            uint key = (uint)random.NextInt64(1L << 32);
            for (int lane = 0; lane < SplitBlock.Lanes; lane++)
            {
                Assert.Equal(SplitBlock.LaneMask(key, lane), SplitBlock.Mask(key).GetElement(lane));
                Assert.Equal(SplitBlock.LaneMask(key, lane), SplitBlock.MaskPortable(key).GetElement(lane));
            }
            if (i % 20 == 0)
            {
                Array.Clear(block);
                Array.Clear(scalar);
                Array.Clear(shared);
            }
            Assert.Equal(SplitBlock.HasScalar(ref scalar[0], key), SplitBlock.Has(ref block[0], key));
            SplitBlock.Set(ref block[0], key);
            SplitBlock.SetScalar(ref scalar[0], key);
            SplitBlock.SetShared(ref shared[0], key);
            Assert.Equal(scalar, block);
            Assert.Equal(scalar, shared);
            Assert.True(SplitBlock.Has(ref block[0], key));
        }
    }

    [Theory]
    [InlineData(1, 0.5), InlineData(100, 0.01), InlineData(20_000, 0.001)]
    public void What_was_added_is_always_found(int keys, double rate)
    {
        foreach (SketchSeed? seed in new[] { null, Seeds.Number(1) })
        {
            var filter = new BloomFilter(keys, rate, seed);
            for (int i = 0; i < keys; i++)
            {
                filter.Add(Seeds.Key(1, i));
                filter.Add($"text {i}");
            }
            for (int i = 0; i < keys; i++)
            {
                Assert.True(filter.Contains(Seeds.Key(1, i)));
                Assert.True(filter.Contains(BitConverter.GetBytes(Seeds.Key(1, i))));
                Assert.True(filter.Contains($"text {i}"));
            }
        }
    }

    [Theory]
    [InlineData(0.1), InlineData(0.01), InlineData(0.001)]
    public void Strangers_pass_at_the_rate_asked_for_over_many_seeds(double rate)
    {
        const int seeds = 60, keys = 5_000, strangers = 20_000;
        long passed = 0;
        double reckoned = 0;
        for (int s = 0; s < seeds; s++)
        {
            var filter = new BloomFilter(keys, rate, Seeds.Number(s));
            for (int i = 0; i < keys; i++)
            {
                filter.Add(Seeds.Key(1, i));
            }
            for (int i = 0; i < strangers; i++)
            {
                passed += filter.Contains(Seeds.Key(2, i)) ? 1 : 0;
            }
            reckoned += filter.FalsePositiveRate() / seeds;
        }

        // A binomial count, and the filters' own spread around it: four standard deviations of both.
        double measured = passed / (double)(seeds * strangers);
        double deviation = Math.Sqrt(rate * (1 - rate) / (seeds * strangers)) + (0.02 * rate);
        Assert.InRange(measured, rate - (4 * deviation), rate + (4 * deviation));
        Assert.InRange(reckoned, measured - (4 * deviation), measured + (4 * deviation));
    }

    [Theory]
    [InlineData(0), InlineData(1), InlineData(64), InlineData(65), InlineData(20_000)]
    public void Many_keys_at_once_are_the_same_as_one_by_one(int count)
    {
        foreach (SketchSeed? seed in new[] { null, Seeds.Number(1) })
        {
            ulong[] keys = [.. Enumerable.Range(0, count).Select(static i => Seeds.Key(1, i))];
            var alone = new BloomFilter(10_000, 0.1, seed);
            var together = new BloomFilter(10_000, 0.1, seed);
            foreach (ulong key in keys.Take(count / 2))
            {
                alone.Add(key);
            }
            together.Add(keys.AsSpan(0, count / 2));
            Assert.Equal(alone.ToBytes(), together.ToBytes());
            bool[] found = new bool[count];
            Assert.Equal(keys.Count(alone.Contains), together.Contains(keys, found));
            Assert.Equal(keys.Select(alone.Contains), found);
            Assert.Throws<ArgumentException>(() => together.Contains(new ulong[count + 1], found));
        }
    }

    [Fact]
    public void No_fewer_blocks_would_do()
    {
        int blocks = BloomSizing.Blocks(1_000_000, 0.01);
        Assert.True(BloomSizing.Rate(1_000_000.0 / blocks) <= 0.01);
        Assert.True(BloomSizing.Rate(1_000_000.0 / (blocks - 1)) > 0.01);
    }

    [Fact]
    public void A_merged_filter_is_the_filter_of_both_streams()
    {
        var all = new BloomFilter(1000);
        var odd = new BloomFilter(1000);
        var even = new BloomFilter(1000);
        for (int i = 0; i < 1000; i++)
        {
            all.Add(i);
            (i % 2 == 0 ? even : odd).Add(i);
        }
        even.Merge(odd);
        Assert.Equal(all.ToBytes(), even.ToBytes());
    }

    [Fact]
    public void Filters_whose_bits_mean_different_things_do_not_merge()
    {
        var filter = new BloomFilter(1000);
        Assert.Contains("blocks", Assert.Throws<MergeRefusedException>(() => filter.Merge(new BloomFilter(2000))).Message, StringComparison.Ordinal);
        Assert.Contains("keyed", Assert.Throws<MergeRefusedException>(() => filter.Merge(new BloomFilter(1000, seed: Seeds.Number(1)))).Message, StringComparison.Ordinal);
        var keyed = new BloomFilter(1000, seed: Seeds.Number(2));
        Assert.Contains("seeds", Assert.Throws<MergeRefusedException>(() => keyed.Merge(new BloomFilter(1000, seed: Seeds.Number(1)))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Many_writers_make_the_same_filter_as_one()
    {
        var shared = new ConcurrentBloomFilter(20_000);
        var alone = new BloomFilter(20_000);
        for (int i = 0; i < 20_000; i++)
        {
            alone.Add(i);
        }
        Parallel.For(0, 8, new ParallelOptions { MaxDegreeOfParallelism = 8 }, writer =>
        {
            for (int i = writer; i < 20_000; i += 4)
            {
                shared.Add(i % 20_000);
                Assert.True(shared.Contains(i % 20_000));
            }
        });
        for (int i = 0; i < 4; i++)
        {
            shared.Add(i);
        }
        Assert.Equal(alone.ToBytes(), shared.Snapshot().ToBytes());
    }

    [Fact]
    public void Impossible_sizes_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new BloomFilter(0));
        Assert.Throws<ArgumentOutOfRangeException>(() => new BloomFilter(10, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => new BloomFilter(10, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new BloomFilter(10, double.NaN));
        Assert.Throws<ArgumentOutOfRangeException>(() => new BloomFilter(long.MaxValue));
    }
}
