using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Skep.Sketches;

/// <summary>MurmurHash2's 64-bit variant A with the seed that Redis gives it, the hash of Redis's HyperLogLog.</summary>
internal readonly struct MurmurHash64A : IHashFamily
{
    private const ulong Seed = 0xadc83b19;
    private const ulong M = 0xc6a4a7935bd1e995;

    // As in XxHash64: a field is read in the instruction that multiplies by it.
    private readonly ulong m = M;
    private readonly ulong start = Seed ^ unchecked(8 * M);

    public MurmurHash64A()
    {
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong Hash(ulong key)
    {
        ulong hash = key * m;
        hash = (start ^ ((hash ^ (hash >> 47)) * m)) * m;
        hash = (hash ^ (hash >> 47)) * m;
        return hash ^ (hash >> 47);
    }

    public static ulong Hash(ReadOnlySpan<byte> key)
    {
        ref byte at = ref MemoryMarshal.GetReference(key);
        ulong hash = Seed ^ unchecked((ulong)key.Length * M);
        int left = key.Length;
        for (; left >= 8; left -= 8, at = ref Unsafe.Add(ref at, 8))
        {
            hash = (hash ^ Mix(Unsafe.ReadUnaligned<ulong>(ref at))) * M;
        }
        if (left > 0)
        {
            ulong tail = 0;
            for (int i = 0; i < left; i++)
            {
                tail |= (ulong)Unsafe.Add(ref at, i) << (8 * i);
            }
            hash = (hash ^ tail) * M;
        }
        return Finish(hash);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Mix(ulong word)
    {
        word *= M;
        return (word ^ (word >> 47)) * M;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Finish(ulong hash)
    {
        hash = (hash ^ (hash >> 47)) * M;
        return hash ^ (hash >> 47);
    }
}
