using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Skep.Sketches;

/// <summary>
/// The 128-bit secret of the keyed profile. A sketch that takes keys from strangers needs one: whoever knows the hash can make keys
/// that collide. Sketches merge only if they share it. Saved sketches carry its fingerprint (8 bytes of a SHA-256), never itself.
/// </summary>
public sealed class SketchSeed
{
    /// <summary>How many bytes a seed has.</summary>
    public const int SizeBytes = 16;

    private SketchSeed(ReadOnlySpan<byte> bytes)
    {
        K0 = BinaryPrimitives.ReadUInt64LittleEndian(bytes);
        K1 = BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]);
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData([.. "skep.sketches.seed.v1"u8, .. bytes], digest);

        // 0 says "no seed".
        Fingerprint = BinaryPrimitives.ReadUInt64LittleEndian(digest) | 1;
    }

    /// <summary>Tells seeds apart without giving them away.</summary>
    public ulong Fingerprint { get; }

    internal ulong K0 { get; }

    internal ulong K1 { get; }

    /// <summary>A new seed from the system's secure random source.</summary>
    public static SketchSeed Create() => new(RandomNumberGenerator.GetBytes(SizeBytes));

    /// <summary>The seed of these 16 bytes.</summary>
    /// <exception cref="ArgumentException">There are not 16 bytes.</exception>
    public static SketchSeed FromBytes(ReadOnlySpan<byte> bytes) => bytes.Length == SizeBytes
        ? new SketchSeed(bytes)
        : throw new ArgumentException($"a seed has {SizeBytes} bytes, these are {bytes.Length}", nameof(bytes));

    /// <summary>Whether both are the same secret, or both none.</summary>
    internal static bool Same(SketchSeed? a, SketchSeed? b) => a?.K0 == b?.K0 && a?.K1 == b?.K1;
}
