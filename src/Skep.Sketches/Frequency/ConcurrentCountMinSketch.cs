namespace Skep.Sketches;

/// <summary>
/// A <see cref="CountMinSketch"/> for any number of writers at once, without locks, each cell by an atomic addition. It raises every cell
/// of a key: the conservative update would need all rows to stand still, since two writers that raise the same cell to the same value
/// lose a count. So the bounds are the same and the typical error is larger; where that matters, give each writer a sketch
/// of its own and merge them.
/// </summary>
public sealed class ConcurrentCountMinSketch
{
    private readonly KeyHasher<XxHash64> hasher;
    private readonly CountMinSketch sketch;
    private long total;

    /// <summary>An empty sketch; the parameters are those of <see cref="CountMinSketch(double, double, SketchSeed?)"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A number that no sketch can be made for.</exception>
    public ConcurrentCountMinSketch(double epsilon, double delta = 0.02, SketchSeed? seed = null)
    {
        sketch = new CountMinSketch(epsilon, delta, seed);
        hasher = new KeyHasher<XxHash64>(seed);
    }

    /// <summary>The sum of all counts.</summary>
    public long Total => Interlocked.Read(ref total);

    /// <summary>Counts a key.</summary>
    /// <param name="key">The key.</param>
    /// <param name="count">How many times: at least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">The count is below 1.</exception>
    /// <exception cref="OverflowException">All counts together would exceed 2⁶³ − 1; nothing was counted.</exception>
    public void Add(ReadOnlySpan<byte> key, long count = 1) => AddHash(hasher.Hash(key), count);

    /// <inheritdoc cref="Add(ReadOnlySpan{byte}, long)"/>
    public void Add(string key, long count = 1) => AddHash(hasher.Hash(key), count);

    /// <inheritdoc cref="Add(ReadOnlySpan{byte}, long)"/>
    public void Add(long key, long count = 1) => AddHash(hasher.Hash((ulong)key), count);

    /// <inheritdoc cref="Add(ReadOnlySpan{byte}, long)"/>
    public void Add(ulong key, long count = 1) => AddHash(hasher.Hash(key), count);

    /// <summary>How often a key was counted, by those whose <c>Add</c> has returned at least.</summary>
    public FrequencyEstimate Estimate(ReadOnlySpan<byte> key) => EstimateHash(hasher.Hash(key));

    /// <inheritdoc cref="Estimate(ReadOnlySpan{byte})"/>
    public FrequencyEstimate Estimate(string key) => EstimateHash(hasher.Hash(key));

    /// <inheritdoc cref="Estimate(ReadOnlySpan{byte})"/>
    public FrequencyEstimate Estimate(long key) => EstimateHash(hasher.Hash((ulong)key));

    /// <inheritdoc cref="Estimate(ReadOnlySpan{byte})"/>
    public FrequencyEstimate Estimate(ulong key) => EstimateHash(hasher.Hash(key));

    /// <summary>A copy with at least every count whose <c>Add</c> had returned.</summary>
    public CountMinSketch Snapshot()
    {
        var copy = new CountMinSketch(sketch.Width, sketch.Depth, sketch.Seed);
        sketch.Cells.CopyTo(copy.Cells);

        // Read last: an Add raises the total first, so that no cell copied is above it.
        copy.SetTotal(Total);
        return copy;
    }

    private void AddHash(ulong hash, long count)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        if (Interlocked.Add(ref total, count) < 0)
        {
            Interlocked.Add(ref total, -count);
            throw new OverflowException("all counts together would exceed what 63 bits hold");
        }
        for (int row = 0; row < sketch.Depth; row++)
        {
            Interlocked.Add(ref sketch.Cells[(int)CountMinRows.Cell(hash, row, (uint)sketch.Width)], count);
        }
    }

    private FrequencyEstimate EstimateHash(ulong hash)
    {
        long count = sketch.EstimateHash(hash);
        return new FrequencyEstimate(count, (long)Math.Ceiling(sketch.Epsilon * Total), 1 - sketch.Delta);
    }
}
