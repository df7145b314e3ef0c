using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace Skep.Sketches;

/// <summary>
/// Whether a key was added: "no" is certain, "yes" is wrong with the false-positive rate. A split-block Bloom filter whose bits are
/// Parquet's in the compatible profile.
/// <para>Memory: 32 bytes a block; about 10.5 bits a key at 1 %, 16.9 at 0.1 %. One cache line is touched a key.</para>
/// <para>Error: (1 − (31/32)^k)^8 in a block of k keys, over all blocks (k is Poisson distributed).</para>
/// <para>Papers: Bloom 1970; Putze, Sanders, Singler, "Cache-, hash- and space-efficient Bloom filters", 2007; Apple, "Split block Bloom
/// filters", 2021; Apache Parquet's BloomFilter.md.</para>
/// <para>Integer keys are their eight bytes, little-endian, as Parquet's INT64; texts are their UTF-8 bytes. For one writer at a time, or
/// any number of readers; see <see cref="ConcurrentBloomFilter"/>. No operation on a key allocates.</para>
/// </summary>
public sealed unsafe class BloomFilter
{
    // As many loads as a processor has on their way at once, some times over.
    private const int BatchKeys = 64;

    private readonly KeyHasher<XxHash64> hasher;
    private readonly BlockArray blocks;

    // Those of the blocks, where a lookup finds them at once.
    private readonly uint* first;
    private readonly ulong count;

    /// <summary>An empty filter for so many keys.</summary>
    /// <param name="keys">How many distinct keys it is to hold; with more it goes on working, with more false positives.</param>
    /// <param name="falsePositiveRate">Of the keys never added, the part that is to be taken for added: between 0 and 1.</param>
    /// <param name="seed">For the keyed profile; none for the compatible one.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number that no filter can be made for.</exception>
    public BloomFilter(long keys, double falsePositiveRate = 0.01, SketchSeed? seed = null)
        : this(new BlockArray(BloomSizing.Blocks(keys, falsePositiveRate)), seed)
    {
    }

    internal BloomFilter(BlockArray blocks, SketchSeed? seed)
    {
        this.blocks = blocks;
        first = blocks.First;
        count = (uint)blocks.Count;
        hasher = new KeyHasher<XxHash64>(seed);
    }

    /// <summary>The hash in use.</summary>
    public SketchProfile Profile => Seed is null ? SketchProfile.Compatible : SketchProfile.Keyed;

    /// <summary>What the bits take, in bytes.</summary>
    public long SizeBytes => (long)blocks.Count * SplitBlock.SizeBytes;

    internal SketchSeed? Seed => hasher.Seed;

    internal BlockArray Blocks => blocks;

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

    /// <summary>False: was never added. True: was added, or is a false positive.</summary>
    public bool Contains(ReadOnlySpan<byte> key) => ContainsHash(hasher.Hash(key));

    /// <summary>False: was never added. True: was added, or is a false positive.</summary>
    public bool Contains(string key) => ContainsHash(hasher.Hash(key));

    /// <summary>False: was never added. True: was added, or is a false positive.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Contains(long key) => ContainsHash(hasher.Hash((ulong)key));

    /// <summary>False: was never added. True: was added, or is a false positive.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Contains(ulong key) => ContainsHash(hasher.Hash(key));

    /// <summary>Adds many numbers: faster than one by one, and into a filter larger than the cache by far.</summary>
    public void Add(ReadOnlySpan<ulong> keys)
    {
        Span<ulong> hashes = stackalloc ulong[BatchKeys];
        while (keys.Length > 0)
        {
            ReadOnlySpan<ulong> batch = HashAhead(keys, hashes);
            AddHashes(batch);
            keys = keys[batch.Length..];
        }
    }

    /// <summary>Looks many numbers up: faster than one by one, and in a filter larger than the cache by far.</summary>
    /// <param name="keys">The numbers.</param>
    /// <param name="found">Gets, for each, what <see cref="Contains(ulong)"/> says.</param>
    /// <returns>How many were found.</returns>
    /// <exception cref="ArgumentException">There is less room than there are keys.</exception>
    public int Contains(ReadOnlySpan<ulong> keys, Span<bool> found)
    {
        if (found.Length < keys.Length)
        {
            throw new ArgumentException($"there is room for {found.Length} answers to {keys.Length} keys", nameof(found));
        }
        Span<ulong> hashes = stackalloc ulong[BatchKeys];
        int sum = 0;
        while (keys.Length > 0)
        {
            ReadOnlySpan<ulong> batch = HashAhead(keys, hashes);
            fixed (ulong* at = batch)
            {
                sum += ContainsHashes(at, found[..batch.Length]);
            }
            keys = keys[batch.Length..];
            found = found[batch.Length..];
        }
        return sum;
    }

    /// <summary>The part of all strangers that the filter takes for added as it stands, reckoned from its bits.</summary>
    public double FalsePositiveRate()
    {
        double sum = 0;
        Span<uint> words = blocks.Words;
        for (int at = 0; at < words.Length; at += SplitBlock.Lanes)
        {
            double passes = 1;
            for (int lane = 0; lane < SplitBlock.Lanes; lane++)
            {
                passes *= BitOperations.PopCount(words[at + lane]) / 32.0;
            }
            sum += passes;
        }
        return sum / blocks.Count;
    }

    /// <summary>Adds all that the other holds.</summary>
    /// <exception cref="MergeRefusedException">The other has another size, profile or seed.</exception>
    public void Merge(BloomFilter other)
    {
        ArgumentNullException.ThrowIfNull(other);
        MergeRefusedException.ThrowIfSeedsDiffer(Seed, other.Seed);
        if (other.blocks.Count != blocks.Count)
        {
            throw new MergeRefusedException($"the filters have {blocks.Count} and {other.blocks.Count} blocks: a key has its bits at other places; make both for the same number of keys and rate");
        }
        Span<uint> ours = blocks.Words;
        ReadOnlySpan<uint> theirs = other.blocks.Words;
        for (int i = 0; i < ours.Length; i++)
        {
            ours[i] |= theirs[i];
        }
    }

    /// <summary>The filter, versioned and with a checksum, for <see cref="Parse"/>.</summary>
    public byte[] ToBytes()
    {
        byte[] whole = Envelope.Begin(SketchKind.Bloom, Seed, SizeBytes, out Span<byte> payload);
        blocks.Bytes.CopyTo(payload);
        return Envelope.Seal(whole);
    }

    /// <summary>Reads what <see cref="ToBytes"/> wrote.</summary>
    /// <param name="bytes">All of it.</param>
    /// <param name="seed">The seed it was made with, in the keyed profile.</param>
    /// <exception cref="SketchFormatException">The bytes are damaged, of another kind, or of another seed.</exception>
    public static BloomFilter Parse(ReadOnlySpan<byte> bytes, SketchSeed? seed = null) =>
        OfBits(Envelope.Open(bytes, SketchKind.Bloom, seed), seed);

    /// <summary>The filter as it lies in a Parquet file: its header (Thrift's compact protocol) and its bits.</summary>
    /// <exception cref="InvalidOperationException">The filter is keyed: no reader of Parquet could use it.</exception>
    public byte[] ToParquetBytes() => Seed is null
        ? [.. ParquetHeader.Write(checked((int)SizeBytes)), .. blocks.Bytes]
        : throw new InvalidOperationException("a keyed filter has hashes that no reader of Parquet knows; make one without a seed");

    /// <summary>Reads a filter as it lies in a Parquet file.</summary>
    /// <exception cref="SketchFormatException">The header is not one of an uncompressed split-block filter with XXH64, or the bits are cut short.</exception>
    public static BloomFilter ParseParquet(ReadOnlySpan<byte> bytes)
    {
        int bitBytes = ParquetHeader.Read(bytes, out int headerBytes);
        return bytes.Length - headerBytes == bitBytes
            ? OfBits(bytes[headerBytes..], seed: null)
            : throw new SketchFormatException($"the header tells {bitBytes} bytes of bits, there are {bytes.Length - headerBytes}");
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void AddHash(ulong hash)
    {
        SplitBlock.Set(ref *BlockArray.At(first, count, hash), (uint)hash);

        // The pointer alone would let the collector have the blocks.
        GC.KeepAlive(this);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal bool ContainsHash(ulong hash)
    {
        bool has = SplitBlock.Has(ref *BlockArray.At(first, count, hash), (uint)hash);
        GC.KeepAlive(this);
        return has;
    }

    // The loops stand apart from each other: a method with memory of its own on the stack is compiled once, before its types are known.
    // What they use stands in locals, which the compiler keeps in registers; fields it would read again after every write.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void AddHashes(ReadOnlySpan<ulong> hashes)
    {
        uint* start = first;
        ulong length = count;
        foreach (ulong hash in hashes)
        {
            SplitBlock.Set(ref *BlockArray.At(start, length, hash), (uint)hash);
        }
        GC.KeepAlive(this);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private int ContainsHashes(ulong* hashes, Span<bool> found)
    {
        uint* start = first;
        ulong length = count;
        for (int i = 0; i < found.Length; i++)
        {
            found[i] = SplitBlock.Has(BlockArray.At(start, length, hashes[i]), (uint*)(hashes + i));
        }
        GC.KeepAlive(this);

        // Counted afterwards, 32 at a time: a sum in the loop would want a register that it has not got.
        return found.Count(true);
    }

    // Hashes some keys, and asks for their blocks before the first is needed, so that memory answers for many at once.
    private ReadOnlySpan<ulong> HashAhead(ReadOnlySpan<ulong> keys, Span<ulong> hashes)
    {
        keys = keys[..Math.Min(hashes.Length, keys.Length)];
        hashes = hashes[..keys.Length];
        hasher.HashMany(keys, hashes);
        if (!blocks.IsSmall && Sse.IsSupported)
        {
            foreach (ulong hash in hashes)
            {
                Sse.Prefetch0(BlockArray.At(first, count, hash));
            }
        }
        return hashes;
    }

    private static BloomFilter OfBits(ReadOnlySpan<byte> bits, SketchSeed? seed)
    {
        if (bits.Length == 0 || bits.Length % SplitBlock.SizeBytes != 0 || bits.Length / SplitBlock.SizeBytes > BloomSizing.MaxBlocks)
        {
            throw new SketchFormatException($"a filter has 1 to {BloomSizing.MaxBlocks} blocks of {SplitBlock.SizeBytes} bytes, not {bits.Length} bytes");
        }
        var blocks = new BlockArray(bits.Length / SplitBlock.SizeBytes);
        bits.CopyTo(blocks.Bytes);
        return new BloomFilter(blocks, seed);
    }
}
