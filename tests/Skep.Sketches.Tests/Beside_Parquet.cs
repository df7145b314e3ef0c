using System.Security.Cryptography;

namespace Skep.Sketches.Tests;

/// <summary>
/// DuckDB 1.5.6 was the judge: <c>copy (select (i%500)*7919::bigint as k, 'key-' || (i%300) as s from range(5000) t(i)) to 'b.parquet'</c>
/// writes a Bloom filter for each column; kept are the lengths and SHA-256 of the filters (header and bits) as they lie in the file.
/// </summary>
public sealed class Beside_Parquet
{
    [Fact]
    public void A_filter_of_numbers_is_the_one_that_DuckDB_writes()
    {
        var filter = new BloomFilter(new BlockArray(32), seed: null);
        for (int i = 0; i < 500; i++)
        {
            filter.Add(i * 7919L);
        }
        Check(filter, 1040, "BE4F5A60118B8ACA27DD078BE194532965466BB5701C6E6FEC7C4DD4CBCC0242");
    }

    [Fact]
    public void A_filter_of_texts_is_the_one_that_DuckDB_writes()
    {
        var filter = new BloomFilter(new BlockArray(16), seed: null);
        for (int i = 0; i < 300; i++)
        {
            filter.Add($"key-{i}");
        }
        Check(filter, 528, "BA9AA651AEA9DFA715F09E24736A2EA7CEB4D95636144247B5279F9F94183F6C");
    }

    [Fact]
    public void Headers_of_every_length_are_read_back_and_foreign_ones_refused()
    {
        foreach (int blocks in new[] { 1, 2, 3, 255, 300, 70_000 })
        {
            byte[] bytes = new BloomFilter(new BlockArray(blocks), seed: null).ToParquetBytes();
            Assert.Equal(bytes, BloomFilter.ParseParquet(bytes).ToParquetBytes());
            Assert.Throws<SketchFormatException>(() => BloomFilter.ParseParquet(bytes.AsSpan(0, bytes.Length - 1)));
            for (int i = 0; i < 14; i++)
            {
                byte[] foreign = [.. bytes];
                foreign[i] ^= 0x41;
                Assert.Throws<SketchFormatException>(() => BloomFilter.ParseParquet(foreign));
            }
        }
        Assert.Throws<SketchFormatException>(() => BloomFilter.ParseParquet([]));
        Assert.Throws<SketchFormatException>(() => BloomFilter.ParseParquet([0x15, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]));
        Assert.Throws<InvalidOperationException>(new BloomFilter(10, seed: Seeds.Number(1)).ToParquetBytes);
    }

    private static void Check(BloomFilter filter, int length, string sha256)
    {
        byte[] bytes = filter.ToParquetBytes();
        Assert.Equal(length, bytes.Length);
        Assert.Equal(sha256, Convert.ToHexString(SHA256.HashData(bytes)));
    }
}
