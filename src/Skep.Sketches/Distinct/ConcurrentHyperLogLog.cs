namespace Skep.Sketches;

/// <summary>
/// A <see cref="HyperLogLog"/> for any number of writers at once, without locks: registers only ever rise, each by compare-and-swap. Always
/// dense: 16 KiB.
/// </summary>
public sealed class ConcurrentHyperLogLog
{
    private readonly KeyHasher<MurmurHash64A> hasher;
    private readonly byte[] registers = new byte[RegisterEstimator.Registers];

    /// <summary>An empty sketch.</summary>
    /// <param name="seed">For the keyed profile; none for the compatible one.</param>
    public ConcurrentHyperLogLog(SketchSeed? seed = null) => hasher = new KeyHasher<MurmurHash64A>(seed);

    /// <summary>Adds a key.</summary>
    public void Add(ReadOnlySpan<byte> key) => AddHash(hasher.Hash(key));

    /// <summary>Adds a text.</summary>
    public void Add(string key) => AddHash(hasher.Hash(key));

    /// <summary>Adds a number.</summary>
    public void Add(long key) => AddHash(hasher.Hash((ulong)key));

    /// <summary>Adds a number.</summary>
    public void Add(ulong key) => AddHash(hasher.Hash(key));

    /// <summary>How many distinct keys were added, of those whose <c>Add</c> has returned at least.</summary>
    public long Count() => RegisterEstimator.Count(registers);

    /// <summary>A copy with at least every key whose <c>Add</c> had returned.</summary>
    public HyperLogLog Snapshot() => new([.. registers], hasher.Seed);

    private void AddHash(ulong hash)
    {
        byte value = HyperLogLog.ValueOf(hash);
        ref byte register = ref registers[(int)hash & (RegisterEstimator.Registers - 1)];
        byte seen = Volatile.Read(ref register);
        while (seen < value)
        {
            byte now = Interlocked.CompareExchange(ref register, value, seen);
            if (now == seen)
            {
                return;
            }
            seen = now;
        }
    }
}
