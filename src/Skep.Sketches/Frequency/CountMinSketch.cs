using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Skep.Sketches;

/// <summary>
/// How often each key was counted: never too low, and too high by more than ε times all counts only with the chance δ.
/// <para>Update: conservative, raising only the cells that hold a key's count back; this makes the error smaller, by much where few keys
/// are frequent, and keeps the bound.</para>
/// <para>Memory: 8 bytes × ⌈e/ε⌉ × ⌈ln 1/δ⌉.</para>
/// <para>Papers: Cormode and Muthukrishnan, "An improved data stream summary: the Count-Min sketch", 2005; Estan and Varghese, "New
/// directions in traffic measurement and accounting", 2002 (conservative update).</para>
/// <para>Hash: XXH64 in the compatible profile; integer keys are their eight bytes, little-endian; texts are their UTF-8 bytes. For one
/// writer at a time; see <see cref="ConcurrentCountMinSketch"/>. No operation on a key allocates.</para>
/// </summary>
public sealed class CountMinSketch
{
    private const int HeadBytes = 16;
    private const int BatchKeys = 64;

    // Rows of the usual depth, spelled out below.
    private const int UsualDepth = 4;

    private static readonly ulong M0 = CountMinRows.Multiplier(0);
    private static readonly ulong M1 = CountMinRows.Multiplier(1);
    private static readonly ulong M2 = CountMinRows.Multiplier(2);
    private static readonly ulong M3 = CountMinRows.Multiplier(3);

    private readonly KeyHasher<XxHash64> hasher;
    private readonly long[] cells;
    private readonly uint width;
    private readonly int depth;

    /// <summary>An empty sketch.</summary>
    /// <param name="epsilon">ε: the error, as a part of all counts.</param>
    /// <param name="delta">δ: the chance that one answer has a larger error.</param>
    /// <param name="seed">For the keyed profile; none for the compatible one.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number that no sketch can be made for.</exception>
    public CountMinSketch(double epsilon, double delta = 0.02, SketchSeed? seed = null)
        : this(CountMinRows.Width(epsilon), CountMinRows.Depth(delta), seed)
    {
    }

    internal CountMinSketch(int width, int depth, SketchSeed? seed)
    {
        this.width = (uint)width;
        this.depth = depth;
        cells = new long[checked(width * depth)];
        hasher = new KeyHasher<XxHash64>(seed);
    }

    /// <summary>The hash in use.</summary>
    public SketchProfile Profile => Seed is null ? SketchProfile.Compatible : SketchProfile.Keyed;

    /// <summary>The sum of all counts.</summary>
    public long Total { get; private set; }

    /// <summary>How many cells a row has.</summary>
    public int Width => (int)width;

    /// <summary>How many rows there are.</summary>
    public int Depth => depth;

    /// <summary>ε: the error, as a part of all counts.</summary>
    public double Epsilon => Math.E / width;

    /// <summary>δ: the chance that one answer has a larger error.</summary>
    public double Delta => Math.Exp(-depth);

    /// <summary>What the cells take, in bytes.</summary>
    public long SizeBytes => (long)cells.Length * sizeof(long);

    internal SketchSeed? Seed => hasher.Seed;

    internal Span<long> Cells => cells;

    /// <summary>Counts a key.</summary>
    /// <param name="key">The key.</param>
    /// <param name="count">How many times: at least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">The count is below 1.</exception>
    /// <exception cref="OverflowException">All counts together would exceed 2⁶³ − 1; nothing was counted.</exception>
    public void Add(ReadOnlySpan<byte> key, long count = 1) => AddHash(hasher.Hash(key), count);

    /// <inheritdoc cref="Add(ReadOnlySpan{byte}, long)"/>
    public void Add(string key, long count = 1) => AddHash(hasher.Hash(key), count);

    /// <inheritdoc cref="Add(ReadOnlySpan{byte}, long)"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(long key, long count = 1) => AddHash(hasher.Hash((ulong)key), count);

    /// <inheritdoc cref="Add(ReadOnlySpan{byte}, long)"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(ulong key, long count = 1) => AddHash(hasher.Hash(key), count);

    /// <summary>Counts many numbers, each once for each time that it is there: faster than one by one.</summary>
    /// <exception cref="OverflowException">All counts together would exceed 2⁶³ − 1; nothing was counted.</exception>
    public void Add(ReadOnlySpan<ulong> keys)
    {
        Total = checked(Total + keys.Length);
        Span<ulong> hashes = stackalloc ulong[BatchKeys];
        while (keys.Length > 0)
        {
            ReadOnlySpan<ulong> batch = keys[..Math.Min(hashes.Length, keys.Length)];
            hasher.HashMany(batch, hashes);
            AddHashes(hashes[..batch.Length]);
            keys = keys[batch.Length..];
        }
    }

    /// <summary>How often a key was counted.</summary>
    public FrequencyEstimate Estimate(ReadOnlySpan<byte> key) => Bound(EstimateHash(hasher.Hash(key)));

    /// <summary>How often a text was counted.</summary>
    public FrequencyEstimate Estimate(string key) => Bound(EstimateHash(hasher.Hash(key)));

    /// <summary>How often a number was counted.</summary>
    public FrequencyEstimate Estimate(long key) => Bound(EstimateHash(hasher.Hash((ulong)key)));

    /// <summary>How often a number was counted.</summary>
    public FrequencyEstimate Estimate(ulong key) => Bound(EstimateHash(hasher.Hash(key)));

    /// <summary>Adds all that the other has counted; the bounds hold for the sum.</summary>
    /// <exception cref="MergeRefusedException">The other has another size, profile or seed.</exception>
    /// <exception cref="OverflowException">All counts together would exceed 2⁶³ − 1; nothing was merged.</exception>
    public void Merge(CountMinSketch other)
    {
        ArgumentNullException.ThrowIfNull(other);
        MergeRefusedException.ThrowIfSeedsDiffer(Seed, other.Seed);
        if (other.width != width || other.depth != depth)
        {
            throw new MergeRefusedException($"the sketches have {depth} rows of {width} and {other.depth} of {other.width} cells: a key has its counts at other places; make both for the same ε and δ");
        }
        Total = checked(Total + other.Total);
        for (int i = 0; i < cells.Length; i++)
        {
            // No cell is above the total, which did not overflow.
            cells[i] += other.cells[i];
        }
    }

    /// <summary>The sketch, versioned and with a checksum, for <see cref="Parse"/>.</summary>
    public byte[] ToBytes()
    {
        byte[] whole = Envelope.Begin(SketchKind.CountMin, Seed, PayloadBytes, out Span<byte> payload);
        WritePayload(payload);
        return Envelope.Seal(whole);
    }

    /// <summary>Reads what <see cref="ToBytes"/> wrote.</summary>
    /// <param name="bytes">All of it.</param>
    /// <param name="seed">The seed it was made with, in the keyed profile.</param>
    /// <exception cref="SketchFormatException">The bytes are damaged, of another kind, or of another seed.</exception>
    public static CountMinSketch Parse(ReadOnlySpan<byte> bytes, SketchSeed? seed = null)
    {
        var reader = new PayloadReader(Envelope.Open(bytes, SketchKind.CountMin, seed));
        CountMinSketch sketch = ReadPayload(ref reader, seed);
        reader.ExpectEnd();
        return sketch;
    }

    internal long PayloadBytes => HeadBytes + SizeBytes;

    internal void WritePayload(Span<byte> payload)
    {
        BinaryPrimitives.WriteInt32LittleEndian(payload, (int)width);
        BinaryPrimitives.WriteInt32LittleEndian(payload[4..], depth);
        BinaryPrimitives.WriteInt64LittleEndian(payload[8..], Total);
        MemoryMarshal.AsBytes(cells.AsSpan()).CopyTo(payload[HeadBytes..]);
    }

    internal static CountMinSketch ReadPayload(ref PayloadReader reader, SketchSeed? seed)
    {
        int width = reader.ReadInt32(), depth = reader.ReadInt32();
        long total = reader.ReadInt64();
        if (width is < 1 or > CountMinRows.MaxWidth || depth is < 1 or > CountMinRows.MaxDepth || total < 0
            || (long)width * depth * sizeof(long) > reader.LeftBytes)
        {
            throw new SketchFormatException($"{depth} rows of {width} cells with {total} counts do not fit the {reader.LeftBytes} bytes of the payload");
        }
        var sketch = new CountMinSketch(width, depth, seed) { Total = total };
        reader.Take(width * depth * sizeof(long)).CopyTo(MemoryMarshal.AsBytes(sketch.cells.AsSpan()));
        if (sketch.cells.AsSpan().ContainsAnyExceptInRange(0, total))
        {
            throw new SketchFormatException($"a cell lies outside 0 to {total}, the sum of all counts");
        }
        return sketch;
    }

    internal ulong HashOf(ReadOnlySpan<byte> key) => hasher.Hash(key);

    internal ulong HashOf(string key) => hasher.Hash(key);

    internal ulong HashOf(ulong key) => hasher.Hash(key);

    internal FrequencyEstimate Bound(long count) => new(count, (long)Math.Ceiling(Epsilon * Total), 1 - Delta);

    /// <summary>Counts, and returns what the key's count is now.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal long AddHash(ulong hash, long count)
    {
        AddToTotal(count);
        return depth == UsualDepth ? AddFour(hash, count) : AddAny(hash, count);
    }

    /// <summary>Counts towards the sum alone, for a key that is counted elsewhere until <see cref="RaiseHash"/> brings it here.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void AddToTotal(long count)
    {
        if (count < 1)
        {
            ThrowCount(count);
        }
        Total = checked(Total + count);
    }

    /// <summary>Makes a key's count at least this; the counts were added to the sum before.</summary>
    internal void RaiseHash(ulong hash, long count)
    {
        for (int row = 0; row < depth; row++)
        {
            ref long cell = ref cells[CountMinRows.Cell(hash, row, width)];
            cell = Math.Max(cell, count);
        }
    }

    internal long EstimateHash(ulong hash)
    {
        long least = long.MaxValue;
        for (int row = 0; row < depth; row++)
        {
            least = Math.Min(least, cells[CountMinRows.Cell(hash, row, width)]);
        }
        return least;
    }

    internal void SetTotal(long total) => Total = total;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void AddHashes(ReadOnlySpan<ulong> hashes)
    {
        foreach (ulong hash in hashes)
        {
            _ = depth == UsualDepth ? AddFour(hash, 1) : AddAny(hash, 1);
        }
    }

    // Not inlined: within a caller's loop the compiler makes branches of Min and Max, which nothing can predict; by itself, moves.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private long AddFour(ulong hash, long count)
    {
        // Every cell lies below width × depth by its making, so that the bounds need no check.
        ref long first = ref MemoryMarshal.GetArrayDataReference(cells);
        ref long a = ref Unsafe.Add(ref first, CountMinRows.Cell(hash, M0, 0, width));
        ref long b = ref Unsafe.Add(ref first, CountMinRows.Cell(hash, M1, 1, width));
        ref long c = ref Unsafe.Add(ref first, CountMinRows.Cell(hash, M2, 2, width));
        ref long d = ref Unsafe.Add(ref first, CountMinRows.Cell(hash, M3, 3, width));
        long raised = Math.Min(Math.Min(a, b), Math.Min(c, d)) + count;
        a = Math.Max(a, raised);
        b = Math.Max(b, raised);
        c = Math.Max(c, raised);
        d = Math.Max(d, raised);
        return raised;
    }

    private long AddAny(ulong hash, long count)
    {
        long raised = EstimateHash(hash) + count;
        for (int row = 0; row < depth; row++)
        {
            ref long cell = ref cells[CountMinRows.Cell(hash, row, width)];
            cell = Math.Max(cell, raised);
        }
        return raised;
    }

    private static void ThrowCount(long count) =>
        throw new ArgumentOutOfRangeException(nameof(count), count, "a key is counted once or more often");
}
