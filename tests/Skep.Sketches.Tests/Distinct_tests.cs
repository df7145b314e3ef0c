namespace Skep.Sketches.Tests;

public sealed class Distinct_counts
{
    [Theory]
    [InlineData(100, 200), InlineData(3_000, 200), InlineData(20_000, 200), InlineData(60_000, 100), InlineData(300_000, 40)]
    public void The_error_is_that_of_theory_and_has_no_bias_over_many_seeds(int distinct, int seeds)
    {
        var errors = new List<double>();
        for (int s = 0; s < seeds; s++)
        {
            var sketch = new HyperLogLog(Seeds.Number(s));
            for (int i = 0; i < distinct; i++)
            {
                sketch.Add(Seeds.Key(1, i));
            }
            errors.Add((sketch.Count() / (double)distinct) - 1);
        }

        // The sample's own uncertainty: σ/√n for the mean, σ/√2n for the deviation; four of each. Small sets err less, and the answer is
        // a whole number.
        double theory = HyperLogLog.RelativeError, bias = (4 * theory / Math.Sqrt(seeds)) + (0.5 / distinct);
        Assert.InRange(errors.Average(), -bias, bias);
        Assert.InRange(Seeds.StandardDeviation(errors), 0, theory * (1 + (4 / Math.Sqrt(2 * seeds))));
    }

    [Fact]
    public void Nothing_is_nothing_and_few_keys_are_counted_exactly()
    {
        var sketch = new HyperLogLog();
        Assert.Equal(0, sketch.Count());
        sketch.Add("a");
        sketch.Add("a"u8);
        Assert.Equal(1, sketch.Count());
        Assert.True(sketch.IsSparse);
        Assert.Equal(128, sketch.SizeBytes);
    }

    [Fact]
    public void Sparse_and_dense_hold_the_same_registers()
    {
        var sketch = new HyperLogLog();
        var dense = new ConcurrentHyperLogLog();
        bool wasSparse = false, wasDense = false;
        for (int i = 0; i < 5_000; i++)
        {
            sketch.Add(i);
            dense.Add(i);
            if (i % 97 == 0)
            {
                Assert.Equal(dense.Count(), sketch.Count());
                Assert.Equal(dense.Snapshot().ToBytes(), sketch.ToBytes());
                wasSparse |= sketch.IsSparse;
                wasDense |= !sketch.IsSparse;
            }
        }
        Assert.True(wasSparse && wasDense);
    }

    [Theory]
    [InlineData(10, 10), InlineData(100, 5_000), InlineData(5_000, 100), InlineData(20_000, 20_000)]
    public void A_merged_sketch_is_the_sketch_of_both_streams(int first, int second)
    {
        var a = new HyperLogLog();
        var b = new HyperLogLog();
        var all = new HyperLogLog();
        for (int i = 0; i < first; i++)
        {
            a.Add(i);
            all.Add(i);
        }
        for (int i = first / 2; i < second; i++)
        {
            b.Add(i);
            all.Add(i);
        }
        byte[] before = a.ToBytes();
        HyperLogLog copy = a.Clone();
        copy.Merge(b);
        Assert.Equal(all.ToBytes(), copy.ToBytes());
        Assert.Equal(before, a.ToBytes());
    }

    [Theory]
    [InlineData(20_000, 20_000, 0), InlineData(20_000, 20_000, 2_000), InlineData(20_000, 20_000, 10_000), InlineData(20_000, 20_000, 20_000), InlineData(40_000, 2_000, 1_000)]
    public void An_intersection_lies_within_its_error_over_many_seeds(int first, int second, int common)
    {
        const int seeds = 80;
        int within = 0;
        for (int s = 0; s < seeds; s++)
        {
            var a = new HyperLogLog(Seeds.Number(s));
            var b = new HyperLogLog(Seeds.Number(s));
            for (int i = 0; i < first; i++)
            {
                a.Add(Seeds.Key(1, i));
            }
            for (int i = 0; i < second; i++)
            {
                b.Add(Seeds.Key(1, first - common + i));
            }
            Estimate estimate = HyperLogLog.Intersection(a, b);
            within += common >= estimate.Low() && common <= estimate.High() ? 1 : 0;
        }

        // Two standard errors hold 95 of 100; three deviations of that count below.
        Assert.True(within >= (0.95 * seeds) - (3 * Math.Sqrt(seeds * 0.95 * 0.05)), $"{within} of {seeds}");
    }

    [Fact]
    public void Sketches_of_different_hashes_neither_merge_nor_go_to_Redis()
    {
        var keyed = new HyperLogLog(Seeds.Number(1));
        Assert.Throws<MergeRefusedException>(() => keyed.Merge(new HyperLogLog()));
        Assert.Throws<MergeRefusedException>(() => new HyperLogLog().Merge(keyed));
        Assert.Throws<MergeRefusedException>(() => HyperLogLog.Intersection(keyed, new HyperLogLog(Seeds.Number(2))));
        Assert.Throws<InvalidOperationException>(keyed.ToRedisBytes);
    }

    [Fact]
    public void Many_writers_make_the_same_sketch_as_one()
    {
        var alone = new HyperLogLog();
        var shared = new ConcurrentHyperLogLog();
        for (int i = 0; i < 50_000; i++)
        {
            alone.Add(i);
        }
        Parallel.For(0, 8, new ParallelOptions { MaxDegreeOfParallelism = 8 }, writer =>
        {
            for (int i = writer * 5_000; i < (writer * 5_000) + 15_000; i++)
            {
                shared.Add(i);
            }
        });
        Assert.Equal(alone.ToBytes(), shared.Snapshot().ToBytes());
    }
}
