using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Skep.Sketches;

/// <summary>
/// One block of 256 bits: eight lanes of 32, one bit of each set by a key. The salts and the choice of bits are Parquet's
/// (parquet-format, BloomFilter.md). Three ways to the same bits: AVX2, whatever <see cref="Vector256"/> stands for, and scalar.
/// </summary>
internal static class SplitBlock
{
    public const int Lanes = 8;
    public const int SizeBytes = 32;

    private static readonly uint[] Salts =
        [0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d, 0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31];

    private static Vector256<uint> SaltVector
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Vector256.Create(0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d, 0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Set(ref uint block, uint key)
    {
        if (Vector256.IsHardwareAccelerated || Avx2.IsSupported)
        {
            (Vector256.LoadUnsafe(ref block) | Mask(key)).StoreUnsafe(ref block);
        }
        else
        {
            SetScalar(ref block, key);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Has(ref uint block, uint key)
    {
        if (Avx2.IsSupported)
        {
            return Avx.TestC(Vector256.LoadUnsafe(ref block), Mask(key));
        }
        return Vector256.IsHardwareAccelerated
            ? Vector256.AndNot(MaskPortable(key), Vector256.LoadUnsafe(ref block)) == Vector256<uint>.Zero
            : HasScalar(ref block, key);
    }

    /// <summary>The same for a key that lies in memory, from where the processor brings it into all lanes by itself.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe bool Has(uint* block, uint* key) => Avx2.IsSupported
        ? Avx.TestC(Vector256.Load(block), Mask(Avx2.BroadcastScalarToVector256(key)))
        : Has(ref *block, *key);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> Mask(Vector256<uint> key) =>
        Avx2.ShiftLeftLogicalVariable(Vector256<uint>.One, Vector256.ShiftRightLogical(SaltVector * key, 27));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<uint> Mask(uint key) => Avx2.IsSupported
        ? Mask(Vector256.Create(key))
        : MaskPortable(key);

    // Lanes cannot portably be shifted by amounts of their own: 2^n is a float with the exponent n, made an integer again.
    internal static Vector256<uint> MaskPortable(uint key)
    {
        Vector256<uint> exponents = Vector256.ShiftRightLogical(SaltVector * Vector256.Create(key), 27) + Vector256.Create(127u);
        return Vector256.ConvertToUInt32(Vector256.ShiftLeft(exponents, 23).AsSingle());
    }

    internal static uint LaneMask(uint key, int lane) => 1u << (int)((key * Salts[lane]) >> 27);

    internal static void SetScalar(ref uint block, uint key)
    {
        for (int lane = 0; lane < Lanes; lane++)
        {
            Unsafe.Add(ref block, lane) |= LaneMask(key, lane);
        }
    }

    internal static bool HasScalar(ref uint block, uint key)
    {
        for (int lane = 0; lane < Lanes; lane++)
        {
            if ((Unsafe.Add(ref block, lane) & LaneMask(key, lane)) == 0)
            {
                return false;
            }
        }
        return true;
    }

    /// <summary>Sets a key's bits while others set theirs: no bit set by anybody is lost.</summary>
    public static void SetShared(ref uint block, uint key)
    {
        ref ulong pairs = ref Unsafe.As<uint, ulong>(ref block);
        Vector256<ulong> mask = Mask(key).AsUInt64();
        for (int pair = 0; pair < Lanes / 2; pair++)
        {
            ref ulong at = ref Unsafe.Add(ref pairs, pair);
            ulong wanted = mask.GetElement(pair);

            // Mostly set already in a filter in use; reading leaves the cache line shared.
            if ((Volatile.Read(ref at) & wanted) != wanted)
            {
                Interlocked.Or(ref at, wanted);
            }
        }
    }
}
