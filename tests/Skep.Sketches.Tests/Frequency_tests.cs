namespace Skep.Sketches.Tests;

public sealed class Frequency
{
    [Fact]
    public void No_count_is_too_low_and_few_are_too_high_over_many_seeds()
    {
        const double epsilon = 0.002, delta = 0.05;
        int answers = 0, beyond = 0;
        for (int s = 0; s < 30; s++)
        {
            var sketch = new CountMinSketch(epsilon, delta, Seeds.Number(s));
            var truth = new Dictionary<int, long>();
            foreach (int key in Seeds.Zipf(s, 5_000, 30_000))
            {
                sketch.Add(key);
                truth[key] = truth.GetValueOrDefault(key) + 1;
            }
            Assert.Equal(30_000, sketch.Total);
            foreach ((int key, long count) in truth)
            {
                FrequencyEstimate estimate = sketch.Estimate(key);
                Assert.True(estimate.Count >= count);
                answers++;
                beyond += estimate.Low > count ? 1 : 0;
            }
        }
        Assert.True(beyond <= delta * answers, $"{beyond} of {answers} answers were off by more than ε of all counts");
    }

    [Fact]
    public void Conservative_update_errs_less_than_raising_every_cell()
    {
        var conservative = new CountMinSketch(0.01);
        var plain = new ConcurrentCountMinSketch(0.01);
        foreach (int key in Seeds.Zipf(1, 5_000, 50_000))
        {
            conservative.Add(key);
            plain.Add(key);
        }
        long ours = Enumerable.Range(0, 5_000).Sum(k => conservative.Estimate(k).Count);
        long theirs = Enumerable.Range(0, 5_000).Sum(k => plain.Estimate(k).Count);
        Assert.True(ours < theirs * 0.9, $"{ours} against {theirs}");
    }

    [Theory]
    [InlineData(0.4), InlineData(0.1), InlineData(0.02), InlineData(0.001)]
    public void Every_depth_keeps_the_bounds_through_merging_and_saving(double delta)
    {
        var first = new CountMinSketch(0.01, delta);
        var second = new CountMinSketch(0.01, delta);
        var truth = new long[100];
        for (int i = 0; i < 2_000; i++)
        {
            int key = i * i % 100;
            (i % 3 == 0 ? first : second).Add((long)key, 1 + (i % 5));
            truth[key] += 1 + (i % 5);
        }
        first.Merge(CountMinSketch.Parse(second.ToBytes()));
        CountMinSketch read = CountMinSketch.Parse(first.ToBytes());
        Assert.Equal(truth.Sum(), read.Total);
        int beyond = 0;
        for (int key = 0; key < 100; key++)
        {
            Assert.True(read.Estimate(key).Count >= truth[key]);
            beyond += read.Estimate(key).Low > truth[key] ? 1 : 0;
        }
        Assert.InRange(beyond, 0, (int)(delta * 100));
    }

    [Theory]
    [InlineData(0.02), InlineData(0.2)]
    public void Many_keys_at_once_are_counted_as_one_by_one(double delta)
    {
        foreach (SketchSeed? seed in new[] { null, Seeds.Number(1) })
        {
            foreach (int count in new[] { 0, 1, 63, 64, 65, 5_000 })
            {
                ulong[] keys = [.. Enumerable.Range(0, count).Select(static i => Seeds.Key(1, i % 100))];
                CountMinSketch alone = new(0.01, delta, seed), together = new(0.01, delta, seed);
                foreach (ulong key in keys)
                {
                    alone.Add(key);
                }
                together.Add(keys);
                Assert.Equal(alone.ToBytes(), together.ToBytes());
            }
        }
    }

    [Fact]
    public void Sketches_whose_cells_mean_different_things_do_not_merge()
    {
        var sketch = new CountMinSketch(0.01);
        Assert.Throws<MergeRefusedException>(() => sketch.Merge(new CountMinSketch(0.02)));
        Assert.Throws<MergeRefusedException>(() => sketch.Merge(new CountMinSketch(0.01, 0.001)));
        Assert.Throws<MergeRefusedException>(() => sketch.Merge(new CountMinSketch(0.01, seed: Seeds.Number(1))));
    }

    [Fact]
    public void Counts_never_wrap_around()
    {
        var sketch = new CountMinSketch(0.1);
        sketch.Add(1L, long.MaxValue - 1);
        Assert.Throws<OverflowException>(() => sketch.Add(2L, 2));
        Assert.Equal(long.MaxValue - 1, sketch.Total);
        Assert.Throws<ArgumentOutOfRangeException>(() => sketch.Add(2L, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => sketch.Add(2L, -1));
        Assert.Equal(long.MaxValue - 1, sketch.Estimate(1L).Count);
    }

    [Fact]
    public void Many_writers_lose_no_count()
    {
        var shared = new ConcurrentCountMinSketch(0.001);
        Parallel.For(0, 8, new ParallelOptions { MaxDegreeOfParallelism = 8 }, _ =>
        {
            for (int i = 0; i < 10_000; i++)
            {
                shared.Add(i % 50);
            }
        });
        CountMinSketch copy = CountMinSketch.Parse(shared.Snapshot().ToBytes());
        Assert.Equal(80_000, copy.Total);
        for (int key = 0; key < 50; key++)
        {
            Assert.InRange(shared.Estimate(key).Count, 1_600, 1_600 + copy.Estimate(key).Error);
            Assert.Equal(shared.Estimate(key).Count, copy.Estimate(key).Count);
        }
    }
}
