using System.Runtime.InteropServices;

namespace Skep.DataPlane.Native;

/// <summary>
/// Zeroed memory for tables that are looked up at random, on large pages where the kernel has them: with small ones most lookups
/// in a table of a hundred megabytes would wait for the page's address first.
/// </summary>
internal static unsafe class LargeMemory
{
    private const nuint PageBytes = 2 << 20;
    private const int HugePages = 14;

    /// <summary>Takes memory; <see cref="NativeMemory.AlignedFree"/> gives it back.</summary>
    public static void* Allocate(nuint bytes)
    {
        nuint whole = (bytes + PageBytes - 1) / PageBytes * PageBytes;
        void* memory = NativeMemory.AlignedAlloc(whole, PageBytes);
        // Advice only: without it, or without large pages, everything is right and slower.
        _ = Libc.MAdvise(memory, whole, HugePages);
        NativeMemory.Clear(memory, whole);
        return memory;
    }
}
