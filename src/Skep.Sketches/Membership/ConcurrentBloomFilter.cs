namespace Skep.Sketches;

/// <summary>
/// A <see cref="BloomFilter"/> for any number of writers and readers at once, without locks: bits are only ever set, each by an atomic
/// OR. A key is found by whoever looks after its <c>Add</c> has returned.
/// </summary>
public sealed class ConcurrentBloomFilter
{
    private readonly KeyHasher<XxHash64> hasher;
    private readonly BloomFilter filter;

    /// <summary>An empty filter; the parameters are those of <see cref="BloomFilter(long, double, SketchSeed?)"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A number that no filter can be made for.</exception>
    public ConcurrentBloomFilter(long keys, double falsePositiveRate = 0.01, SketchSeed? seed = null)
    {
        filter = new BloomFilter(keys, falsePositiveRate, seed);
        hasher = new KeyHasher<XxHash64>(seed);
    }

    /// <summary>Adds a key.</summary>
    public void Add(ReadOnlySpan<byte> key) => AddHash(hasher.Hash(key));

    /// <summary>Adds a text.</summary>
    public void Add(string key) => AddHash(hasher.Hash(key));

    /// <summary>Adds a number.</summary>
    public void Add(long key) => AddHash(hasher.Hash((ulong)key));

    /// <summary>Adds a number.</summary>
    public void Add(ulong key) => AddHash(hasher.Hash(key));

    /// <inheritdoc cref="BloomFilter.Contains(ReadOnlySpan{byte})"/>
    public bool Contains(ReadOnlySpan<byte> key) => filter.Contains(key);

    /// <inheritdoc cref="BloomFilter.Contains(string)"/>
    public bool Contains(string key) => filter.Contains(key);

    /// <inheritdoc cref="BloomFilter.Contains(long)"/>
    public bool Contains(long key) => filter.Contains(key);

    /// <inheritdoc cref="BloomFilter.Contains(ulong)"/>
    public bool Contains(ulong key) => filter.Contains(key);

    /// <summary>A copy with at least every key whose <c>Add</c> had returned.</summary>
    public BloomFilter Snapshot()
    {
        var copy = new BlockArray(filter.Blocks.Count);
        filter.Blocks.Words.CopyTo(copy.Words);
        return new BloomFilter(copy, filter.Seed);
    }

    private void AddHash(ulong hash) => filter.Blocks.SetShared(hash);
}
