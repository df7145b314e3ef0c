using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Skep.Sketches;

/// <summary>XXH64 with seed 0, the hash of Parquet's Bloom filters (https://github.com/Cyan4973/xxHash, doc/xxhash_spec.md).</summary>
internal readonly struct XxHash64 : IHashFamily
{
    private const ulong P1 = 0x9E3779B185EBCA87;
    private const ulong P2 = 0xC2B2AE3D27D4EB4F;
    private const ulong P3 = 0x165667B19E3779F9;
    private const ulong P4 = 0x85EBCA77C2B2AE63;
    private const ulong P5 = 0x27D4EB2F165667C5;

    // The same as fields: a constant of 64 bits is written out by the compiler wherever it is used, which takes as long as multiplying by
    // it; a field is read in the same instruction.
    private readonly ulong p1 = P1;
    private readonly ulong p2 = P2;
    private readonly ulong p3 = P3;
    private readonly ulong p4 = P4;
    private readonly ulong start = P5 + 8;

    public XxHash64()
    {
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong Hash(ulong key)
    {
        ulong hash = (BitOperations.RotateLeft(start ^ (BitOperations.RotateLeft(key * p2, 31) * p1), 27) * p1) + p4;
        hash = (hash ^ (hash >> 33)) * p2;
        hash = (hash ^ (hash >> 29)) * p3;
        return hash ^ (hash >> 32);
    }

    /// <summary>The hashes of many keys of eight bytes: four at a time where the processor has 256-bit integers.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void HashMany(ReadOnlySpan<ulong> keys, Span<ulong> hashes)
    {
        hashes = hashes[..keys.Length];
        int i = 0;
        if (Avx2.IsSupported)
        {
            ref ulong from = ref MemoryMarshal.GetReference(keys), to = ref MemoryMarshal.GetReference(hashes);
            Factor p1 = new(P1), p2 = new(P2), p3 = new(P3);
            Vector256<ulong> p4 = Vector256.Create(P4), start = Vector256.Create(P5 + 8);
            for (; i <= keys.Length - Vector256<ulong>.Count; i += Vector256<ulong>.Count)
            {
                Vector256<ulong> hash = p2.Times(Vector256.LoadUnsafe(ref from, (nuint)i));
                hash = p1.Times((hash << 31) | (hash >> 33)) ^ start;
                hash = p1.Times((hash << 27) | (hash >> 37)) + p4;
                hash = p2.Times(hash ^ (hash >> 33));
                hash = p3.Times(hash ^ (hash >> 29));
                (hash ^ (hash >> 32)).StoreUnsafe(ref to, (nuint)i);
            }
        }
        XxHash64 one = new();
        for (; i < hashes.Length; i++)
        {
            hashes[i] = one.Hash(keys[i]);
        }
    }

    // A number that four of 64 bits are multiplied by, of which AVX2 can only multiply the halves; AVX-512 can multiply them whole.
    private readonly struct Factor(ulong value)
    {
        private readonly Vector256<uint> whole = Vector256.Create(value).AsUInt32();
        private readonly Vector256<uint> crossed = Vector256.Create(ulong.RotateLeft(value, 32)).AsUInt32();

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector256<ulong> Times(Vector256<ulong> numbers)
        {
            if (Avx512DQ.VL.IsSupported)
            {
                return Avx512DQ.VL.MultiplyLow(numbers, whole.AsUInt64());
            }
            Vector256<ulong> halves = (numbers.AsUInt32() * crossed).AsUInt64();
            return Avx2.Multiply(numbers.AsUInt32(), whole) + ((halves + (halves >> 32)) << 32);
        }
    }

    public static ulong Hash(ReadOnlySpan<byte> key)
    {
        // The lanes are read little-endian, which is how all machines that Skep runs on hold them.
        ref byte at = ref MemoryMarshal.GetReference(key);
        int left = key.Length;
        ulong hash;
        if (left >= 32)
        {
            hash = Stripes(ref at, left);
            at = ref Unsafe.Add(ref at, left & ~31);
            left &= 31;
        }
        else
        {
            hash = P5;
        }
        hash += (ulong)key.Length;
        for (; left >= 8; left -= 8, at = ref Unsafe.Add(ref at, 8))
        {
            hash = Fold8(hash, Unsafe.ReadUnaligned<ulong>(ref at));
        }
        if (left >= 4)
        {
            hash ^= Unsafe.ReadUnaligned<uint>(ref at) * P1;
            hash = (BitOperations.RotateLeft(hash, 23) * P2) + P3;
            at = ref Unsafe.Add(ref at, 4);
            left -= 4;
        }
        for (; left > 0; left--, at = ref Unsafe.Add(ref at, 1))
        {
            hash ^= at * P5;
            hash = BitOperations.RotateLeft(hash, 11) * P1;
        }
        return Avalanche(hash);
    }

    private static ulong Stripes(ref byte at, int length)
    {
        ulong a = unchecked(P1 + P2), b = P2, c = 0, d = unchecked(0 - P1);
        for (; length >= 32; length -= 32, at = ref Unsafe.Add(ref at, 32))
        {
            a = Round(a, Unsafe.ReadUnaligned<ulong>(ref at));
            b = Round(b, Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref at, 8)));
            c = Round(c, Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref at, 16)));
            d = Round(d, Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref at, 24)));
        }
        ulong hash = BitOperations.RotateLeft(a, 1) + BitOperations.RotateLeft(b, 7)
            + BitOperations.RotateLeft(c, 12) + BitOperations.RotateLeft(d, 18);
        hash = Merge(hash, a);
        hash = Merge(hash, b);
        hash = Merge(hash, c);
        return Merge(hash, d);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Round(ulong lane, ulong input) => BitOperations.RotateLeft(lane + (input * P2), 31) * P1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Merge(ulong hash, ulong lane) => ((hash ^ Round(0, lane)) * P1) + P4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Fold8(ulong hash, ulong word) => (BitOperations.RotateLeft(hash ^ Round(0, word), 27) * P1) + P4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Avalanche(ulong hash)
    {
        hash = (hash ^ (hash >> 33)) * P2;
        hash = (hash ^ (hash >> 29)) * P3;
        return hash ^ (hash >> 32);
    }
}
