using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Skep.Sketches;

/// <summary>
/// SipHash with a 128-bit key (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012). The keyed profile uses SipHash-1-3, as
/// the hash tables of Rust and Ruby do: who does not know the key cannot make keys that collide, which seeded XXH64 or Murmur do
/// not give.
/// </summary>
internal static class SipHash
{
    public static ulong Hash13(ulong k0, ulong k1, ulong key)
    {
        (ulong v0, ulong v1, ulong v2, ulong v3) = Begin(k0, k1);
        v3 ^= key;
        Round(ref v0, ref v1, ref v2, ref v3);
        v0 ^= key;
        const ulong last = 8UL << 56;
        v3 ^= last;
        Round(ref v0, ref v1, ref v2, ref v3);
        v0 ^= last;
        v2 ^= 0xff;
        Round(ref v0, ref v1, ref v2, ref v3);
        Round(ref v0, ref v1, ref v2, ref v3);
        Round(ref v0, ref v1, ref v2, ref v3);
        return v0 ^ v1 ^ v2 ^ v3;
    }

    public static ulong Hash13(ulong k0, ulong k1, ReadOnlySpan<byte> key) => Hash(k0, k1, key, 1, 3);

    // Apart, so that the published vectors (of SipHash-2-4) prove the code.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong Hash(ulong k0, ulong k1, ReadOnlySpan<byte> key, int compressions, int finals)
    {
        (ulong v0, ulong v1, ulong v2, ulong v3) = Begin(k0, k1);
        ref byte at = ref MemoryMarshal.GetReference(key);
        int left = key.Length;
        for (; left >= 8; left -= 8, at = ref Unsafe.Add(ref at, 8))
        {
            ulong word = Unsafe.ReadUnaligned<ulong>(ref at);
            v3 ^= word;
            for (int i = 0; i < compressions; i++)
            {
                Round(ref v0, ref v1, ref v2, ref v3);
            }
            v0 ^= word;
        }
        ulong last = (ulong)key.Length << 56;
        for (int i = 0; i < left; i++)
        {
            last |= (ulong)Unsafe.Add(ref at, i) << (8 * i);
        }
        v3 ^= last;
        for (int i = 0; i < compressions; i++)
        {
            Round(ref v0, ref v1, ref v2, ref v3);
        }
        v0 ^= last;
        v2 ^= 0xff;
        for (int i = 0; i < finals; i++)
        {
            Round(ref v0, ref v1, ref v2, ref v3);
        }
        return v0 ^ v1 ^ v2 ^ v3;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (ulong V0, ulong V1, ulong V2, ulong V3) Begin(ulong k0, ulong k1) =>
        (k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d, k0 ^ 0x6c7967656e657261, k1 ^ 0x7465646279746573);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Round(ref ulong v0, ref ulong v1, ref ulong v2, ref ulong v3)
    {
        v0 += v1;
        v2 += v3;
        v1 = BitOperations.RotateLeft(v1, 13) ^ v0;
        v3 = BitOperations.RotateLeft(v3, 16) ^ v2;
        v0 = BitOperations.RotateLeft(v0, 32);
        v2 += v1;
        v0 += v3;
        v1 = BitOperations.RotateLeft(v1, 17) ^ v2;
        v3 = BitOperations.RotateLeft(v3, 21) ^ v0;
        v2 = BitOperations.RotateLeft(v2, 32);
    }
}
