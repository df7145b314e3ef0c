using System.Buffers.Binary;

namespace Skep.Sketches;

/// <summary>
/// The most frequent keys: Space-Saving with a Count-Min sketch behind. A key that is not in the table enters it, in the place of the
/// lowest, once its Count-Min count exceeds that one's. So rare keys do not wash through the table as in plain Space-Saving. A key is counted
/// in the table while it is there, and in the Count-Min sketch otherwise (Roy, Khan, Alonso, "Augmented sketch", 2016).
/// <para>Certain: each key's count lies between <see cref="HeavyHitter.AtLeast"/> and <see cref="HeavyHitter.Count"/>, and no key outside
/// the table was counted more often than <see cref="Floor"/>, which is at most all counts ÷ capacity or the Count-Min error
/// above the lowest key's count.</para>
/// <para>Memory: about 50 bytes an entry and its key, and the Count-Min sketch.</para>
/// <para>Papers: Metwally, Agrawal, El Abbadi, "Efficient computation of frequent and top-k elements in data streams", 2005; Cormode and
/// Muthukrishnan 2005 (Count-Min); Agarwal and others, "Mergeable summaries", 2012.</para>
/// <para>For one writer at a time; see <see cref="ConcurrentHeavyHitters"/>. Counting allocates nothing once the table is full of keys as
/// long as those to come.</para>
/// </summary>
public sealed class HeavyHitters
{
    /// <summary>The longest key taken, in bytes.</summary>
    public const int MaxKeyBytes = 4096;

    /// <summary>The largest capacity.</summary>
    public const int MaxCapacity = 1 << 20;

    private const int HeadBytes = 16;
    private const int EntryHeadBytes = 20;

    private readonly HitterTable table;
    private readonly CountMinSketch behind;

    /// <summary>An empty sketch.</summary>
    /// <param name="capacity">How many keys are kept; some ten times as many as will be asked for.</param>
    /// <param name="epsilon">ε of the Count-Min sketch behind.</param>
    /// <param name="delta">δ of the Count-Min sketch behind.</param>
    /// <param name="seed">For the keyed profile; none for the compatible one.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number that no sketch can be made for.</exception>
    public HeavyHitters(int capacity, double epsilon = 1e-4, double delta = 0.02, SketchSeed? seed = null)
        : this(CheckCapacity(capacity), new CountMinSketch(epsilon, delta, seed))
    {
    }

    private HeavyHitters(int capacity, CountMinSketch behind)
    {
        Capacity = capacity;
        table = new HitterTable(capacity);
        this.behind = behind;
    }

    /// <summary>The hash in use.</summary>
    public SketchProfile Profile => behind.Profile;

    /// <summary>How many keys are kept.</summary>
    public int Capacity { get; }

    /// <summary>The sum of all counts.</summary>
    public long Total => behind.Total;

    /// <summary>No key that is not among <see cref="Top"/> of all was counted more often than this.</summary>
    public long Floor { get; private set; }

    internal SketchSeed? Seed => behind.Seed;

    /// <summary>Counts a key.</summary>
    /// <param name="key">The key, of at most <see cref="MaxKeyBytes"/>.</param>
    /// <param name="count">How many times: at least 1.</param>
    /// <exception cref="ArgumentException">The key is too long.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The count is below 1.</exception>
    /// <exception cref="OverflowException">All counts together would exceed 2⁶³ − 1; nothing was counted.</exception>
    public void Add(ReadOnlySpan<byte> key, long count = 1) => Add(behind.HashOf(key), key, count);

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
        Add(behind.HashOf(key), bytes, count);
    }

    /// <summary>The most frequent keys, the most frequent first; equal ones in the order of their bytes.</summary>
    public IReadOnlyList<HeavyHitter> Top(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        var all = new List<HeavyHitter>(table.Count);
        foreach (ref readonly HitterTable.Entry entry in table.Entries)
        {
            all.Add(new HeavyHitter(entry.Key.ToArray(), entry.Upper, entry.Lower));
        }
        all.Sort(static (a, b) => a.Count != b.Count ? b.Count.CompareTo(a.Count) : a.Key.AsSpan().SequenceCompareTo(b.Key));
        return all.Count <= count ? all : all.GetRange(0, count);
    }

    /// <summary>How often a key was counted: never below the truth.</summary>
    public FrequencyEstimate Estimate(ReadOnlySpan<byte> key)
    {
        ulong hash = behind.HashOf(key);
        int number = table.Find(hash, key);
        FrequencyEstimate estimate = behind.Bound(behind.EstimateHash(hash));
        return number < 0
            ? estimate with { Count = Math.Min(estimate.Count, Floor) }
            : new FrequencyEstimate(table.Entries[number].Upper, table.Entries[number].Upper - table.Entries[number].Lower, 1);
    }

    /// <inheritdoc cref="Estimate(ReadOnlySpan{byte})"/>
    public FrequencyEstimate Estimate(string key)
    {
        using var text = new TextKey(key);
        return Estimate(text.Bytes);
    }

    /// <inheritdoc cref="Estimate(ReadOnlySpan{byte})"/>
    public FrequencyEstimate Estimate(long key) => Estimate((ulong)key);

    /// <inheritdoc cref="Estimate(ReadOnlySpan{byte})"/>
    public FrequencyEstimate Estimate(ulong key)
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, key);
        return Estimate(bytes);
    }

    /// <summary>Adds all that the other has counted; the bounds hold for the sum.</summary>
    /// <exception cref="MergeRefusedException">The other has another capacity, Count-Min size, profile or seed.</exception>
    /// <exception cref="OverflowException">All counts together would exceed 2⁶³ − 1; nothing was merged.</exception>
    public void Merge(HeavyHitters other)
    {
        ArgumentNullException.ThrowIfNull(other);
        if (other.Capacity != Capacity)
        {
            throw new MergeRefusedException($"the sketches keep {Capacity} and {other.Capacity} keys: the larger one's promise would be lost; make both with the same capacity");
        }

        // Each side's view of every key that either knows, before the sums mix them.
        var union = new List<(byte[] Key, ulong Hash, long Upper, long Lower)>();
        foreach (ref readonly HitterTable.Entry entry in table.Entries)
        {
            (long upper, long lower) = other.Bounds(entry.Hash, entry.Key);
            union.Add((entry.Key.ToArray(), entry.Hash, entry.Upper + upper, entry.Lower + lower));
        }
        foreach (ref readonly HitterTable.Entry entry in other.table.Entries)
        {
            if (table.Find(entry.Hash, entry.Key) < 0)
            {
                (long upper, long lower) = Bounds(entry.Hash, entry.Key);
                union.Add((entry.Key.ToArray(), entry.Hash, entry.Upper + upper, entry.Lower + lower));
            }
        }
        behind.Merge(other.behind);
        Floor += other.Floor;
        union.Sort(static (a, b) => a.Upper != b.Upper ? b.Upper.CompareTo(a.Upper) : a.Key.AsSpan().SequenceCompareTo(b.Key));
        if (union.Count > Capacity)
        {
            Floor = Math.Max(Floor, union[Capacity].Upper);
        }
        table.Clear();
        for (int i = 0; i < union.Count; i++)
        {
            if (i < Capacity)
            {
                table.Insert(union[i].Hash, union[i].Key, union[i].Upper, union[i].Lower);
            }
            else
            {
                behind.RaiseHash(union[i].Hash, union[i].Upper);
            }
        }
    }

    /// <summary>A copy that goes its own way.</summary>
    public HeavyHitters Clone()
    {
        var copy = new HeavyHitters(Capacity, new CountMinSketch(behind.Width, behind.Depth, Seed));
        copy.Merge(this);
        return copy;
    }

    /// <summary>The sketch, versioned and with a checksum, for <see cref="Parse"/>.</summary>
    public byte[] ToBytes()
    {
        long keyBytes = 0;
        foreach (ref readonly HitterTable.Entry entry in table.Entries)
        {
            keyBytes += EntryHeadBytes + entry.Key.Length;
        }
        byte[] whole = Envelope.Begin(SketchKind.HeavyHitters, Seed, HeadBytes + keyBytes + behind.PayloadBytes, out Span<byte> at);
        BinaryPrimitives.WriteInt32LittleEndian(at, Capacity);
        BinaryPrimitives.WriteInt32LittleEndian(at[4..], table.Count);
        BinaryPrimitives.WriteInt64LittleEndian(at[8..], Floor);
        at = at[HeadBytes..];
        foreach (ref readonly HitterTable.Entry entry in table.Entries)
        {
            BinaryPrimitives.WriteInt64LittleEndian(at, entry.Upper);
            BinaryPrimitives.WriteInt64LittleEndian(at[8..], entry.Lower);
            BinaryPrimitives.WriteInt32LittleEndian(at[16..], entry.Key.Length);
            entry.Key.CopyTo(at[EntryHeadBytes..]);
            at = at[(EntryHeadBytes + entry.Key.Length)..];
        }
        behind.WritePayload(at);
        return Envelope.Seal(whole);
    }

    /// <summary>Reads what <see cref="ToBytes"/> wrote.</summary>
    /// <param name="bytes">All of it.</param>
    /// <param name="seed">The seed it was made with, in the keyed profile.</param>
    /// <exception cref="SketchFormatException">The bytes are damaged, of another kind, or of another seed.</exception>
    public static HeavyHitters Parse(ReadOnlySpan<byte> bytes, SketchSeed? seed = null)
    {
        var reader = new PayloadReader(Envelope.Open(bytes, SketchKind.HeavyHitters, seed));
        int capacity = reader.ReadInt32(), count = reader.ReadInt32();
        long floor = reader.ReadInt64();
        if (capacity is < 1 or > MaxCapacity || count < 0 || count > capacity || count > reader.LeftBytes / EntryHeadBytes || floor < 0)
        {
            throw new SketchFormatException($"{count} keys in a table for {capacity}, with a floor of {floor}, cannot be");
        }
        PayloadReader entries = reader;
        for (int i = 0; i < count; i++)
        {
            reader.Take(EntryHeadBytes - sizeof(int));
            reader.Take(reader.ReadInt32());
        }
        var sketch = new HeavyHitters(capacity, CountMinSketch.ReadPayload(ref reader, seed)) { Floor = floor };
        reader.ExpectEnd();
        for (int i = 0; i < count; i++)
        {
            sketch.Restore(entries.ReadInt64(), entries.ReadInt64(), entries.Take(entries.ReadInt32()));
        }
        return floor <= sketch.Total ? sketch : throw new SketchFormatException($"the floor {floor} lies above the sum of all counts, {sketch.Total}");
    }

    internal ulong HashOf(ReadOnlySpan<byte> key) => behind.HashOf(key);

    internal void Add(ulong hash, ReadOnlySpan<byte> key, long count)
    {
        if (key.Length > MaxKeyBytes)
        {
            throw new ArgumentException($"a key has at most {MaxKeyBytes} bytes, this one has {key.Length}", nameof(key));
        }
        int number = table.Find(hash, key);
        if (number >= 0)
        {
            // Counted in the table alone: the frequent keys cost the least, and leave the cells to the rare.
            behind.AddToTotal(count);
            table.Raise(number, count);
            return;
        }
        long counted = behind.AddHash(hash, count);

        // A key outside the table was counted at most Floor times until now; Count-Min may know less.
        long upper = Math.Min(counted, Floor + count);
        if (!table.IsFull)
        {
            table.Insert(hash, key, upper, count);
        }
        else if (upper > table.Lowest)
        {
            Floor = Math.Max(Floor, table.Lowest);
            behind.RaiseHash(table.LowestHash, table.Lowest);
            table.Insert(hash, key, upper, count);
        }
        else
        {
            Floor = Math.Max(Floor, upper);
        }
    }

    private (long Upper, long Lower) Bounds(ulong hash, ReadOnlySpan<byte> key)
    {
        int number = table.Find(hash, key);
        return number < 0
            ? (Math.Min(Floor, behind.EstimateHash(hash)), 0)
            : (table.Entries[number].Upper, table.Entries[number].Lower);
    }

    private void Restore(long upper, long lower, ReadOnlySpan<byte> key)
    {
        ulong hash = behind.HashOf(key);
        if (key.Length > MaxKeyBytes || lower < 0 || lower > upper || upper > Total || table.Find(hash, key) >= 0)
        {
            throw new SketchFormatException($"a key of {key.Length} bytes, counted {lower} to {upper} times of {Total}, is impossible or there twice");
        }
        table.Insert(hash, key, upper, lower);
    }

    private static int CheckCapacity(int capacity)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(capacity);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(capacity, MaxCapacity);
        return capacity;
    }
}
