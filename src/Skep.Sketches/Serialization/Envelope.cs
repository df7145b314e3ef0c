using System.Buffers.Binary;

namespace Skep.Sketches;

/// <summary>What a saved sketch holds.</summary>
public enum SketchKind
{
    /// <summary>A <see cref="BloomFilter"/>.</summary>
    Bloom = 1,

    /// <summary>A <see cref="CountMinSketch"/>.</summary>
    CountMin = 2,

    /// <summary>A <see cref="HeavyHitters"/>.</summary>
    HeavyHitters = 3,

    /// <summary>A <see cref="HyperLogLog"/>.</summary>
    HyperLogLog = 4,
}

/// <summary>
/// How every sketch is saved, all numbers little-endian: "SKSK", version (1 byte, 1), kind (1), profile (1), 0 (1), the seed's
/// fingerprint (8; 0 in the compatible profile), the payload's length (8), the payload, XXH64 of all before it (8). The checksum finds
/// damage; against bytes made to deceive, every payload is checked as it is read.
/// </summary>
internal static class Envelope
{
    private const int HeaderBytes = 24;
    private const int ChecksumBytes = 8;
    private const byte Version = 1;

    private static ReadOnlySpan<byte> Magic => "SKSK"u8;

    /// <summary>An array with everything but the payload filled in, which the caller writes before it seals.</summary>
    public static byte[] Begin(SketchKind kind, SketchSeed? seed, long payloadBytes, out Span<byte> payload)
    {
        byte[] whole = new byte[checked(HeaderBytes + payloadBytes + ChecksumBytes)];
        Magic.CopyTo(whole);
        whole[4] = Version;
        whole[5] = (byte)kind;
        whole[6] = (byte)(seed is null ? SketchProfile.Compatible : SketchProfile.Keyed);
        BinaryPrimitives.WriteUInt64LittleEndian(whole.AsSpan(8), seed?.Fingerprint ?? 0);
        BinaryPrimitives.WriteInt64LittleEndian(whole.AsSpan(16), payloadBytes);
        payload = whole.AsSpan(HeaderBytes, (int)payloadBytes);
        return whole;
    }

    public static byte[] Seal(byte[] whole)
    {
        Span<byte> checksum = whole.AsSpan(whole.Length - ChecksumBytes);
        BinaryPrimitives.WriteUInt64LittleEndian(checksum, XxHash64.Hash(whole.AsSpan(0, whole.Length - ChecksumBytes)));
        return whole;
    }

    /// <summary>What the bytes say they are, checked no further; null where they are no saved sketch.</summary>
    public static SketchKind? KindOf(ReadOnlySpan<byte> bytes) =>
        bytes.Length >= HeaderBytes + ChecksumBytes && bytes[..4].SequenceEqual(Magic) && Enum.IsDefined((SketchKind)bytes[5])
            ? (SketchKind)bytes[5]
            : null;

    /// <summary>Checks everything around the payload and hands it out.</summary>
    public static ReadOnlySpan<byte> Open(ReadOnlySpan<byte> bytes, SketchKind kind, SketchSeed? seed)
    {
        if (bytes.Length < HeaderBytes + ChecksumBytes || !bytes[..4].SequenceEqual(Magic))
        {
            throw new SketchFormatException("not a saved sketch: it does not begin with \"SKSK\" and a whole header");
        }
        if (bytes[4] != Version)
        {
            throw new SketchFormatException($"saved in version {bytes[4]} of the format; this library reads version {Version}: use a newer one");
        }
        ulong checksum = BinaryPrimitives.ReadUInt64LittleEndian(bytes[^ChecksumBytes..]);
        if (checksum != XxHash64.Hash(bytes[..^ChecksumBytes]))
        {
            throw new SketchFormatException("the checksum does not fit: the bytes were damaged or cut short");
        }
        if (bytes[5] != (byte)kind)
        {
            throw new SketchFormatException($"a saved {(SketchKind)bytes[5]} sketch, not {kind}");
        }
        CheckSeed(bytes, seed);
        ReadOnlySpan<byte> payload = bytes[HeaderBytes..^ChecksumBytes];
        if (BinaryPrimitives.ReadUInt64LittleEndian(bytes[16..]) != (ulong)payload.Length || bytes[7] != 0)
        {
            throw new SketchFormatException("the header tells another length than the bytes have");
        }
        return payload;
    }

    private static void CheckSeed(ReadOnlySpan<byte> bytes, SketchSeed? seed)
    {
        ulong fingerprint = BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]);
        switch ((SketchProfile)bytes[6])
        {
            case SketchProfile.Compatible when fingerprint == 0:
                if (seed is not null)
                {
                    throw new SketchFormatException("saved in the compatible profile: it is read without a seed");
                }
                break;
            case SketchProfile.Keyed when fingerprint != 0:
                if (seed?.Fingerprint != fingerprint)
                {
                    throw new SketchFormatException($"saved with the seed of fingerprint {fingerprint:x16}; " + (seed is null ? "give that seed to read it" : $"the seed given has {seed.Fingerprint:x16}"));
                }
                break;
            default:
                throw new SketchFormatException($"profile {bytes[6]} with fingerprint {fingerprint:x16} does not exist");
        }
    }
}
