namespace Skep.Sketches.Tests;

/// <summary>The real redis-server is the judge of what a HyperLogLog of Redis is.</summary>
public sealed class Beside_Redis(RedisServer redis) : IClassFixture<RedisServer>
{
    public static TheoryData<int> Cardinalities => [0, 1, 2, 10, 100, 500, 1_000, 1_500, 2_000, 5_000, 20_000, 50_000, 100_000, 300_000];

    [Theory, MemberData(nameof(Cardinalities))]
    public void Redis_counts_our_bytes_as_we_do(int keys)
    {
        redis.SkipIfMissing();
        HyperLogLog ours = Saved_sketches.Distinct(keys);
        redis.Ask("SET", "ours", ours.ToRedisBytes());
        Assert.Equal(ours.Count(), redis.AskNumber("PFCOUNT", "ours"));
    }

    [Theory, MemberData(nameof(Cardinalities))]
    public void What_Redis_counted_we_count_the_same(int keys)
    {
        redis.SkipIfMissing();
        byte[] theirs = OfRedis(keys);
        long count = redis.AskNumber("PFCOUNT", "theirs");
        HyperLogLog read = HyperLogLog.ParseRedis(theirs);
        Assert.Equal(count, read.Count());
        Assert.Equal(count, Saved_sketches.Distinct(keys).Count());

        // Register for register, as their dense form shows.
        Assert.Equal(Saved_sketches.Distinct(keys).ToRedisBytes(), read.ToRedisBytes());
    }

    [Fact]
    public void Both_of_Redis_encodings_were_read_and_written()
    {
        redis.SkipIfMissing();
        foreach ((int keys, byte encoding) in new[] { (100, (byte)1), (50_000, (byte)0) })
        {
            Assert.Equal(encoding, OfRedis(keys)[4]);
            Assert.Equal(encoding, Saved_sketches.Distinct(keys).ToRedisBytes()[4]);
        }
    }

    [Theory]
    [InlineData(10), InlineData(900), InlineData(1_400), InlineData(30_000)]
    public void Redis_goes_on_counting_where_we_stopped_and_we_where_it_stopped(int keys)
    {
        redis.SkipIfMissing();
        redis.Ask("SET", "shared", Saved_sketches.Distinct(keys).ToRedisBytes());
        for (int i = keys; i < keys * 2; i += 1_000)
        {
            redis.Ask(["PFADD", "shared", .. Enumerable.Range(i, Math.Min(1_000, (keys * 2) - i)).Select(static k => (object)$"key {k}")]);
        }
        HyperLogLog all = HyperLogLog.ParseRedis(redis.Ask("GET", "shared"));
        Assert.Equal(Saved_sketches.Distinct(keys * 2).Count(), all.Count());
        for (int i = keys * 2; i < keys * 3; i++)
        {
            all.Add($"key {i}");
        }
        redis.Ask("SET", "shared", all.ToRedisBytes());
        Assert.Equal(Saved_sketches.Distinct(keys * 3).Count(), redis.AskNumber("PFCOUNT", "shared"));
        Assert.Equal(0, redis.AskNumber("PFADD", "shared", "key 0", $"key {(keys * 3) - 1}"));
    }

    [Fact]
    public void PFMERGE_makes_what_our_merge_makes()
    {
        redis.SkipIfMissing();
        var other = new HyperLogLog();
        for (int i = 0; i < 40_000; i++)
        {
            other.Add($"other {i}");
        }
        HyperLogLog ours = Saved_sketches.Distinct(30_000);
        redis.Ask("SET", "a", ours.ToRedisBytes());
        redis.Ask("SET", "b", other.ToRedisBytes());
        redis.Ask("PFMERGE", "c", "a", "b");
        ours.Merge(other);
        Assert.Equal(ours.ToRedisBytes(), HyperLogLog.ParseRedis(redis.Ask("GET", "c")).ToRedisBytes());
        Assert.Equal(ours.Count(), redis.AskNumber("PFCOUNT", "a", "b"));
    }

    [Fact]
    public void Keys_of_every_length_hash_as_in_Redis()
    {
        redis.SkipIfMissing();
        var ours = new HyperLogLog();
        redis.Ask("DEL", "lengths");
        for (int length = 0; length < 200; length++)
        {
            ours.Add(Seeds.Bytes(length));
            redis.Ask("PFADD", "lengths", Seeds.Bytes(length));
            ours.Add(Seeds.Key(7, length));
            redis.Ask("PFADD", "lengths", BitConverter.GetBytes(Seeds.Key(7, length)));
        }
        Assert.Equal(ours.ToRedisBytes(), HyperLogLog.ParseRedis(redis.Ask("GET", "lengths")).ToRedisBytes());
    }

    [Fact]
    public void Hostile_strings_are_refused()
    {
        byte[] sparse = Saved_sketches.Distinct(100).ToRedisBytes();
        byte[] dense = Saved_sketches.Distinct(50_000).ToRedisBytes();
        foreach (byte[] bytes in new byte[][] { [], [.. "HYLL"u8], [.. "HYLX"u8, .. sparse[4..]], sparse[..^1], [.. sparse, 0], dense[..^1], [.. dense, 0] })
        {
            Assert.Throws<SketchFormatException>(() => HyperLogLog.ParseRedis(bytes));
        }
        dense[16] = 0xff;
        Assert.Contains("63", Assert.Throws<SketchFormatException>(() => HyperLogLog.ParseRedis(dense)).Message, StringComparison.Ordinal);
        sparse[4] = 2;
        Assert.Contains("encoding 2", Assert.Throws<SketchFormatException>(() => HyperLogLog.ParseRedis(sparse)).Message, StringComparison.Ordinal);
    }

    private byte[] OfRedis(int keys)
    {
        redis.Ask("DEL", "theirs");
        redis.Ask("PFADD", "theirs");
        for (int i = 0; i < keys; i += 1_000)
        {
            redis.Ask(["PFADD", "theirs", .. Enumerable.Range(i, Math.Min(1_000, keys - i)).Select(static k => (object)$"key {k}")]);
        }
        return redis.Ask("GET", "theirs");
    }
}
