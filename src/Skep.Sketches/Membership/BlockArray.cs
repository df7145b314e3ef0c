using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Skep.Sketches;

/// <summary>A filter's blocks, aligned to cache lines, so that no block lies in two of them.</summary>
internal sealed unsafe class BlockArray
{
    private const int LineBytes = 64;

    // 256 KiB: what the second-level cache of most processors holds.
    private const int CachedBlocks = 256 * 1024 / SplitBlock.SizeBytes;

    private readonly uint[] words;
    private readonly uint* first;

    public BlockArray(int count)
    {
        Count = count;

        // Pinned: an array that the collector moves would not stay aligned.
        words = GC.AllocateArray<uint>((count * SplitBlock.Lanes) + (LineBytes / sizeof(uint)), pinned: true);
        nint address = (nint)Unsafe.AsPointer(ref words[0]);
        first = (uint*)((address + LineBytes - 1) & -LineBytes);
    }

    public int Count { get; }

    // From the array and not from the pointer, so that a span keeps the array alive.
    public Span<uint> Words => words.AsSpan((int)(first - (uint*)Unsafe.AsPointer(ref words[0])), Count * SplitBlock.Lanes);

    public Span<byte> Bytes => MemoryMarshal.AsBytes(Words);

    /// <summary>The first block; whoever uses it keeps this object alive until after the last use.</summary>
    public uint* First => first;

    /// <summary>Whether a processor's own cache is likely to hold all blocks.</summary>
    public bool IsSmall => Count <= CachedBlocks;

    /// <summary>Sets a hash's bits while others set theirs.</summary>
    public void SetShared(ulong hash)
    {
        SplitBlock.SetShared(ref *At(first, (uint)Count, hash), (uint)hash);
        GC.KeepAlive(this);
    }

    /// <summary>The block of a hash: its upper half, scaled to the number of blocks, and so below it: the bounds need no check.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint* At(uint* first, ulong count, ulong hash) => first + ((((hash >> 32) * count) >> 32) * SplitBlock.Lanes);
}
