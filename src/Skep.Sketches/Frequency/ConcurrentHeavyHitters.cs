using System.Buffers.Binary;

namespace Skep.Sketches;

/// <summary>
/// <see cref="HeavyHitters"/> for many writers at once: as many of them as there are stripes, each under a lock of its own. A key always
/// falls into the same stripe, so that every promise of the single sketch holds.
/// </summary>
public sealed class ConcurrentHeavyHitters
{
    private readonly HeavyHitters[] stripes;
    private readonly Lock[] locks;

    /// <summary>An empty sketch.</summary>
    /// <param name="capacity">How many keys each stripe keeps.</param>
    /// <param name="epsilon">ε of the Count-Min sketch behind each stripe, as a part of the stripe's counts.</param>
    /// <param name="delta">δ of those.</param>
    /// <param name="seed">For the keyed profile; none for the compatible one.</param>
    /// <param name="stripes">How many writers do not wait for each other; 0 for as many as there are processors, at most 64.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number that no sketch can be made for.</exception>
    public ConcurrentHeavyHitters(int capacity, double epsilon = 1e-4, double delta = 0.02, SketchSeed? seed = null, int stripes = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(stripes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(stripes, 64);
        int count = stripes > 0 ? stripes : Math.Min(64, Environment.ProcessorCount);
        this.stripes = [.. Enumerable.Range(0, count).Select(_ => new HeavyHitters(capacity, epsilon, delta, seed))];
        locks = [.. Enumerable.Range(0, count).Select(static _ => new Lock())];
    }

    /// <summary>Counts a key.</summary>
    /// <param name="key">The key, of at most <see cref="HeavyHitters.MaxKeyBytes"/>.</param>
    /// <param name="count">How many times: at least 1.</param>
    /// <exception cref="ArgumentException">The key is too long.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The count is below 1.</exception>
    public void Add(ReadOnlySpan<byte> key, long count = 1)
    {
        ulong hash = stripes[0].HashOf(key);

        // The upper half, since the table inside uses the lower.
        int stripe = (int)(((hash >> 32) * (uint)stripes.Length) >> 32);
        lock (locks[stripe])
        {
            stripes[stripe].Add(hash, key, count);
        }
    }

    /// <inheritdoc cref="Add(ReadOnlySpan{byte}, long)"/>
    public void Add(string key, long count = 1)
    {
        using var text = new TextKey(key);
        Add(text.Bytes, count);
    }

    /// <inheritdoc cref="Add(ReadOnlySpan{byte}, long)"/>
    public void Add(long key, long count = 1) => Add((ulong)key, count);

    /// <inheritdoc cref="Add(ReadOnlySpan{byte}, long)"/>
    public void Add(ulong key, long count = 1)
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, key);
        Add(bytes, count);
    }

    /// <summary>All stripes merged into one, each as it stood at one moment.</summary>
    public HeavyHitters Snapshot()
    {
        HeavyHitters? all = null;
        for (int i = 0; i < stripes.Length; i++)
        {
            lock (locks[i])
            {
                if (all is null)
                {
                    all = stripes[i].Clone();
                }
                else
                {
                    all.Merge(stripes[i]);
                }
            }
        }
        return all!;
    }
}
