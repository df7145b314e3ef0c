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
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Hash13(ulong k0, ulong k1, ulong key)
    {
        var state = new State(k0, k1);
        state.Compress(key, 1);
        state.Compress(8UL << 56, 1);
        return state.Finish(3);
    }

    public static ulong Hash13(ulong k0, ulong k1, ReadOnlySpan<byte> key) => Hash(k0, k1, key, 1, 3);

    // Apart, so that the published vectors (of SipHash-2-4) prove the code.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong Hash(ulong k0, ulong k1, ReadOnlySpan<byte> key, int compressions, int finals)
    {
        ref byte at = ref MemoryMarshal.GetReference(key);
        var state = new State(k0, k1);
        int left = key.Length;
        for (; left >= 8; left -= 8, at = ref Unsafe.Add(ref at, 8))
        {
            state.Compress(Unsafe.ReadUnaligned<ulong>(ref at), compressions);
        }
        ulong last = (ulong)key.Length << 56;
        for (int i = 0; i < left; i++)
        {
            last |= (ulong)Unsafe.Add(ref at, i) << (8 * i);
        }
        state.Compress(last, compressions);
        return state.Finish(finals);
    }

    private struct State(ulong k0, ulong k1)
    {
        private ulong v0 = k0 ^ 0x736f6d6570736575;
        private ulong v1 = k1 ^ 0x646f72616e646f6d;
        private ulong v2 = k0 ^ 0x6c7967656e657261;
        private ulong v3 = k1 ^ 0x7465646279746573;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Compress(ulong word, int rounds)
        {
            v3 ^= word;
            for (int i = 0; i < rounds; i++)
            {
                Round();
            }
            v0 ^= word;
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public ulong Finish(int rounds)
        {
            v2 ^= 0xff;
            for (int i = 0; i < rounds; i++)
            {
                Round();
            }
            return v0 ^ v1 ^ v2 ^ v3;
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private void Round()
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
}
