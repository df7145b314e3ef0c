using System.Text;

namespace Skep.Sketches.Tests;

public sealed class The_most_frequent_keys
{
    [Theory]
    [InlineData(1), InlineData(10), InlineData(100)]
    public void Every_bound_is_certain_over_many_seeds(int capacity)
    {
        for (int s = 0; s < 15; s++)
        {
            var sketch = new HeavyHitters(capacity, 0.005, seed: Seeds.Number(s));
            var truth = new Dictionary<string, long>();
            foreach (int rank in Seeds.Zipf(s, 3_000, 20_000))
            {
                Count(sketch, truth, $"key {rank}", 1 + (rank % 3));
            }
            Check(sketch, truth);
            Check(HeavyHitters.Parse(sketch.ToBytes(), Seeds.Number(s)), truth);
            Check(sketch.Clone(), truth);
        }
    }

    [Fact]
    public void The_bounds_stay_certain_through_merging_and_counting_on()
    {
        for (int s = 0; s < 10; s++)
        {
            var truth = new Dictionary<string, long>();
            var parts = new HeavyHitters[4];
            for (int p = 0; p < parts.Length; p++)
            {
                parts[p] = new HeavyHitters(50, 0.005, seed: Seeds.Number(s));
                foreach (int rank in Seeds.Zipf((s * 10) + p, 3_000, 5_000))
                {
                    // Each part sees most keys under other names, as days of a log do.
                    Count(parts[p], truth, rank < 20 ? $"key {rank}" : $"key {p} {rank}", 1);
                }
            }
            for (int p = 1; p < parts.Length; p++)
            {
                parts[0].Merge(parts[p]);
                Check(parts[0], truth, partial: p < parts.Length - 1);
            }
            foreach (int rank in Seeds.Zipf(s + 1000, 3_000, 5_000))
            {
                Count(parts[0], truth, $"key {rank}", 1);
            }
            Check(parts[0], truth);
        }
    }

    [Fact]
    public void The_ten_most_frequent_of_a_skewed_stream_are_found_in_their_order()
    {
        for (int s = 0; s < 10; s++)
        {
            var sketch = new HeavyHitters(200, 0.0005);
            var truth = new Dictionary<string, long>();
            foreach (int rank in Seeds.Zipf(s, 20_000, 100_000))
            {
                Count(sketch, truth, $"key {rank}", 1);
            }
            Assert.Equal(
                truth.OrderByDescending(static t => t.Value).Take(10).Select(static t => t.Key),
                sketch.Top(10).Select(static h => Encoding.UTF8.GetString(h.Key)));

            // Only what was counted before a key entered the table is unsure.
            Assert.All(sketch.Top(10), static h => Assert.InRange(h.Error, 0, h.Count / 50));
        }
    }

    [Fact]
    public void Sketches_of_different_promises_do_not_merge()
    {
        var sketch = new HeavyHitters(10);
        Assert.Throws<MergeRefusedException>(() => sketch.Merge(new HeavyHitters(20)));
        Assert.Throws<MergeRefusedException>(() => sketch.Merge(new HeavyHitters(10, 0.1)));
        Assert.Throws<MergeRefusedException>(() => sketch.Merge(new HeavyHitters(10, seed: Seeds.Number(1))));
    }

    [Fact]
    public void Keys_too_long_to_keep_are_refused()
    {
        var sketch = new HeavyHitters(10);
        sketch.Add(new byte[HeavyHitters.MaxKeyBytes]);
        Assert.Throws<ArgumentException>(() => sketch.Add(new byte[HeavyHitters.MaxKeyBytes + 1]));
        Assert.Equal(1, sketch.Total);
    }

    [Fact]
    public void Texts_and_numbers_are_the_keys_that_their_bytes_are()
    {
        var alone = new HeavyHitters(10);
        var shared = new ConcurrentHeavyHitters(10, stripes: 2);
        alone.Add("ключ"u8, 3);
        alone.Add(BitConverter.GetBytes(-7L), 5);
        shared.Add("ключ", 3);
        shared.Add(-7L, 2);
        shared.Add(unchecked((ulong)-7L), 3);
        foreach (HeavyHitters sketch in new[] { alone, shared.Snapshot() })
        {
            Assert.Equal([3, 5, 5], [sketch.Estimate("ключ").Count, sketch.Estimate(-7L).Count, sketch.Estimate(unchecked((ulong)-7L)).Count]);
            Assert.Equal(8, sketch.Total);
        }
    }

    [Fact]
    public void Many_writers_keep_every_bound()
    {
        var shared = new ConcurrentHeavyHitters(50, 0.005, stripes: 4);
        var truth = new Dictionary<string, long>();
        int[][] draws = [.. Enumerable.Range(0, 6).Select(static w => Seeds.Zipf(w, 2_000, 5_000).ToArray())];
        foreach (int rank in draws.SelectMany(static d => d))
        {
            truth[$"key {rank}"] = truth.GetValueOrDefault($"key {rank}") + 1;
        }
        Parallel.ForEach(draws, d =>
        {
            foreach (int rank in d)
            {
                shared.Add(Encoding.UTF8.GetBytes($"key {rank}"));
            }
        });
        Check(shared.Snapshot(), truth);
    }

    private static void Count(HeavyHitters sketch, Dictionary<string, long> truth, string key, long count)
    {
        sketch.Add(key, count);
        truth[key] = truth.GetValueOrDefault(key) + count;
    }

    private static void Check(HeavyHitters sketch, Dictionary<string, long> truth, bool partial = false)
    {
        var told = new HashSet<string>();
        foreach (HeavyHitter hit in sketch.Top(int.MaxValue))
        {
            string key = Encoding.UTF8.GetString(hit.Key);
            told.Add(key);

            // While parts are missing, the truth of a key is at least what the merged ones know.
            Assert.InRange(truth[key], hit.AtLeast, partial ? long.MaxValue : hit.Count);
        }
        if (partial)
        {
            return;
        }
        Assert.Equal(truth.Values.Sum(), sketch.Total);
        foreach ((string key, long count) in truth)
        {
            Assert.True(told.Contains(key) || count <= sketch.Floor, $"{key} was counted {count} times and left out, with a floor of {sketch.Floor}");
            Assert.True(sketch.Estimate(Encoding.UTF8.GetBytes(key)).Count >= count);
        }
    }
}
