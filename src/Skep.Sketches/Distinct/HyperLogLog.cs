using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Skep.Sketches;

/// <summary>
/// How many distinct keys were added. In the compatible profile its hash, registers and estimates are Redis's: PFCOUNT of
/// <see cref="ToRedisBytes"/> is <see cref="Count"/>.
/// <para>Memory: 16,384 registers of a byte; up to 1,536 registers in use a table of 128 bytes to 8 KiB. Saved: 12,304 bytes (6 bits a
/// register), or less while few are in use.</para>
/// <para>Error: a standard error of 1.04 / √16384 = 0.81 %, without bias, up to more than 10¹⁸ keys.</para>
/// <para>Papers: Flajolet, Fusy, Gandouet, Meunier, "HyperLogLog", 2007; Ertl, "New cardinality estimation algorithms for HyperLogLog
/// sketches", 2017.</para>
/// <para>Integer keys are their eight bytes, little-endian; texts are their UTF-8 bytes. For one writer at a time; see
/// <see cref="ConcurrentHyperLogLog"/>. Adding allocates nothing but, seven times in a sketch's life, a larger table.</para>
/// </summary>
public sealed class HyperLogLog
{
    /// <summary>The standard error of the count, as a part of it.</summary>
    public const double RelativeError = 1.04 / 128;

    private readonly KeyHasher<MurmurHash64A> hasher;
    private SparseRegisters? sparse = new();
    private byte[]? dense;

    /// <summary>An empty sketch.</summary>
    /// <param name="seed">For the keyed profile; none for the compatible one.</param>
    public HyperLogLog(SketchSeed? seed = null) => hasher = new KeyHasher<MurmurHash64A>(seed);

    internal HyperLogLog(byte[] registers, SketchSeed? seed)
        : this(seed)
    {
        dense = registers;
        sparse = null;
    }

    /// <summary>The hash in use.</summary>
    public SketchProfile Profile => Seed is null ? SketchProfile.Compatible : SketchProfile.Keyed;

    /// <summary>Whether few registers are in use, and only those are kept.</summary>
    public bool IsSparse => dense is null;

    /// <summary>What the registers take in memory, in bytes.</summary>
    public long SizeBytes => dense?.Length ?? sparse!.SizeBytes;

    internal SketchSeed? Seed => hasher.Seed;

    /// <summary>Adds a key.</summary>
    public void Add(ReadOnlySpan<byte> key) => AddHash(hasher.Hash(key));

    /// <summary>Adds a text.</summary>
    public void Add(string key) => AddHash(hasher.Hash(key));

    /// <summary>Adds a number.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(long key) => AddHash(hasher.Hash((ulong)key));

    /// <summary>Adds a number.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(ulong key) => AddHash(hasher.Hash(key));

    /// <summary>How many distinct keys were added, as Redis's PFCOUNT reckons it.</summary>
    public long Count()
    {
        Span<byte> registers = stackalloc byte[RegisterEstimator.Registers];
        CopyTo(registers);
        return RegisterEstimator.Count(registers);
    }

    /// <summary>The same with its standard error.</summary>
    public Estimate Estimate()
    {
        long count = Count();
        return new Estimate(count, count * RelativeError);
    }

    /// <summary>
    /// How many distinct keys are in both: |A| + |B| − |A ∪ B|. The errors of the three add up (as the root of their squares, which is more
    /// than they do, since they go together), so that a small intersection of large sets drowns in its error.
    /// </summary>
    /// <exception cref="MergeRefusedException">The sketches differ in profile or seed.</exception>
    public static Estimate Intersection(HyperLogLog first, HyperLogLog second)
    {
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(second);
        HyperLogLog both = first.Clone();
        both.Merge(second);
        double a = first.Count(), b = second.Count(), union = both.Count();
        double error = RelativeError * Math.Sqrt((a * a) + (b * b) + (union * union));
        return new Estimate(Math.Clamp(a + b - union, 0, Math.Min(a, b)), error);
    }

    /// <summary>Counts the union: adds all that the other has seen.</summary>
    /// <exception cref="MergeRefusedException">The other has another profile or seed.</exception>
    public void Merge(HyperLogLog other)
    {
        ArgumentNullException.ThrowIfNull(other);
        MergeRefusedException.ThrowIfSeedsDiffer(Seed, other.Seed);
        Span<byte> theirs = stackalloc byte[RegisterEstimator.Registers];
        other.CopyTo(theirs);
        for (int register = 0; register < theirs.Length; register++)
        {
            if (theirs[register] > 0)
            {
                Raise(register, theirs[register]);
            }
        }
    }

    /// <summary>A copy that goes its own way.</summary>
    public HyperLogLog Clone()
    {
        Span<byte> registers = stackalloc byte[RegisterEstimator.Registers];
        CopyTo(registers);
        return OfRegisters(registers, Seed);
    }

    /// <summary>The sketch, versioned and with a checksum, for <see cref="Parse"/>.</summary>
    public byte[] ToBytes()
    {
        byte[] registers = RegistersAsRedis();
        byte[] whole = Envelope.Begin(SketchKind.HyperLogLog, Seed, registers.Length, out Span<byte> payload);
        registers.CopyTo(payload);
        return Envelope.Seal(whole);
    }

    /// <summary>Reads what <see cref="ToBytes"/> wrote.</summary>
    /// <param name="bytes">All of it.</param>
    /// <param name="seed">The seed it was made with, in the keyed profile.</param>
    /// <exception cref="SketchFormatException">The bytes are damaged, of another kind, or of another seed.</exception>
    public static HyperLogLog Parse(ReadOnlySpan<byte> bytes, SketchSeed? seed = null) =>
        OfRedis(Envelope.Open(bytes, SketchKind.HyperLogLog, seed), seed);

    /// <summary>The sketch as Redis keeps it in a string: SET it, and PFCOUNT, PFADD and PFMERGE take it for their own.</summary>
    /// <exception cref="InvalidOperationException">The sketch is keyed: what Redis added to it would be counted twice.</exception>
    public byte[] ToRedisBytes() => Seed is null
        ? RegistersAsRedis()
        : throw new InvalidOperationException("a keyed sketch has hashes that Redis does not know; make one without a seed");

    /// <summary>Reads what Redis's GET gives of a HyperLogLog, sparse or dense.</summary>
    /// <exception cref="SketchFormatException">The bytes are none, or damaged.</exception>
    public static HyperLogLog ParseRedis(ReadOnlySpan<byte> bytes) => OfRedis(bytes, seed: null);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static byte ValueOf(ulong hash) =>
        (byte)(BitOperations.TrailingZeroCount((hash >> RegisterEstimator.P) | (1UL << RegisterEstimator.Q)) + 1);

    internal void CopyTo(Span<byte> registers)
    {
        if (dense is not null)
        {
            dense.CopyTo(registers);
            return;
        }
        registers.Clear();
        sparse!.CopyTo(registers);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void AddHash(ulong hash)
    {
        byte value = ValueOf(hash);
        nuint register = (nuint)hash & (RegisterEstimator.Registers - 1);
        byte[]? registers = dense;
        if (registers is null)
        {
            Raise((int)register, value);
            return;
        }

        // There are as many as the mask lets through, so that the bounds need no check.
        ref byte at = ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(registers), register);
        if (at < value)
        {
            at = value;
        }
    }

    private void Raise(int register, byte value)
    {
        if (sparse is not null && !sparse.TryRaise(register, value))
        {
            byte[] all = new byte[RegisterEstimator.Registers];
            sparse.CopyTo(all);
            dense = all;
            sparse = null;
        }
        if (dense is not null && dense[register] < value)
        {
            dense[register] = value;
        }
    }

    private byte[] RegistersAsRedis()
    {
        Span<byte> registers = stackalloc byte[RegisterEstimator.Registers];
        CopyTo(registers);
        return RedisString.Write(registers);
    }

    private static HyperLogLog OfRedis(ReadOnlySpan<byte> bytes, SketchSeed? seed)
    {
        Span<byte> registers = stackalloc byte[RegisterEstimator.Registers];
        RedisString.Read(bytes, registers);
        return OfRegisters(registers, seed);
    }

    private static HyperLogLog OfRegisters(ReadOnlySpan<byte> registers, SketchSeed? seed)
    {
        if (registers.Length - registers.Count((byte)0) > SparseRegisters.MaxCount)
        {
            return new HyperLogLog(registers.ToArray(), seed);
        }
        var sketch = new HyperLogLog(seed);
        for (int register = 0; register < registers.Length; register++)
        {
            if (registers[register] > 0)
            {
                sketch.Raise(register, registers[register]);
            }
        }
        return sketch;
    }
}
