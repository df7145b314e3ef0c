using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Skep.Sketches;

/// <summary>A filter's blocks, aligned to cache lines, so that no block lies in two of them.</summary>
internal sealed class BlockArray
{
    private const int LineBytes = 64;

    private readonly uint[] words;
    private readonly int first;

    public BlockArray(int count)
    {
        Count = count;
        const int slack = LineBytes / sizeof(uint);

        // Pinned: an array that the collector moves would not stay aligned.
        words = GC.AllocateArray<uint>((count * SplitBlock.Lanes) + slack, pinned: true);
        unsafe
        {
            nint address = (nint)Unsafe.AsPointer(ref words[0]);
            first = (int)(-address & (LineBytes - 1)) / sizeof(uint);
        }
    }

    public int Count { get; }

    public Span<uint> Words => words.AsSpan(first, Count * SplitBlock.Lanes);

    public Span<byte> Bytes => MemoryMarshal.AsBytes(Words);

    /// <summary>The block that a hash falls into: the upper half of the hash, scaled to the number of blocks.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref uint BlockOf(ulong hash)
    {
        // Below Count by its making, so that the bounds need no check.
        nuint block = (nuint)(((hash >> 32) * (uint)Count) >> 32);
        return ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(words), (nuint)(uint)first + (block * SplitBlock.Lanes));
    }
}
