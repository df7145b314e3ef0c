using System.Buffers.Binary;

namespace Skep.Raft.Log;

internal enum FileKind : uint
{
    Segment = 1,
    Snapshot = 2,
}

/// <summary>
/// The first 4096 bytes of every file. A file gets its final name only after its header was synced, so a bad
/// header is never a torn one.
/// </summary>
/// <param name="Kind">Segment of the log or snapshot.</param>
/// <param name="Sequence">Number of the segment, counted from 1; for a snapshot its index.</param>
/// <param name="PreviousEndBytes">Segment: where the previous one ends. What lies behind that is not part of the log.</param>
/// <param name="InitialEndBytes">Segment: everything up to here was durable before the file got its name.</param>
/// <param name="KeyId">Which data key.</param>
/// <param name="Salt">Random, from which with the data key the file's own key is derived.</param>
internal sealed record FileHeader(
    FileKind Kind, ulong Sequence, long PreviousEndBytes, long InitialEndBytes, byte[] KeyId, byte[] Salt)
{
    private const int ChecksumOffset = LogFormat.HeaderSizeBytes - sizeof(uint);

    private static ReadOnlySpan<byte> Magic => "SKEPRAFT"u8;

    public void Write(Span<byte> destination)
    {
        destination = destination[..LogFormat.HeaderSizeBytes];
        destination.Clear();
        Magic.CopyTo(destination);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[8..], LogFormat.Version);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[12..], (uint)Kind);
        BinaryPrimitives.WriteUInt64LittleEndian(destination[16..], Sequence);
        BinaryPrimitives.WriteInt64LittleEndian(destination[24..], PreviousEndBytes);
        BinaryPrimitives.WriteInt64LittleEndian(destination[32..], InitialEndBytes);
        KeyId.CopyTo(destination[40..]);
        Salt.CopyTo(destination[56..]);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[ChecksumOffset..], Crc32C.Compute(destination[..ChecksumOffset]));
    }

    /// <summary>Reads a header.</summary>
    /// <exception cref="LogCorruptException">Not a header, or its checksum is wrong.</exception>
    /// <exception cref="LogVersionException">Another format version.</exception>
    public static FileHeader Read(ReadOnlySpan<byte> source, FileKind expectedKind, ulong expectedSequence, string file)
    {
        if (source.Length < LogFormat.HeaderSizeBytes)
        {
            throw new LogCorruptException(file, 0, $"the file has {source.Length} bytes, its header alone has {LogFormat.HeaderSizeBytes}");
        }

        source = source[..LogFormat.HeaderSizeBytes];
        if (!source[..Magic.Length].SequenceEqual(Magic))
        {
            throw new LogCorruptException(file, 0, "it does not begin with SKEPRAFT");
        }

        if (BinaryPrimitives.ReadUInt32LittleEndian(source[ChecksumOffset..]) != Crc32C.Compute(source[..ChecksumOffset]))
        {
            throw new LogCorruptException(file, 0, "the checksum of the header is wrong");
        }

        var version = BinaryPrimitives.ReadUInt32LittleEndian(source[8..]);
        if (version != LogFormat.Version)
        {
            throw new LogVersionException(file, version, LogFormat.Version);
        }

        var header = new FileHeader(
            (FileKind)BinaryPrimitives.ReadUInt32LittleEndian(source[12..]),
            BinaryPrimitives.ReadUInt64LittleEndian(source[16..]),
            BinaryPrimitives.ReadInt64LittleEndian(source[24..]),
            BinaryPrimitives.ReadInt64LittleEndian(source[32..]),
            source.Slice(40, LogFormat.KeyIdSizeBytes).ToArray(),
            source.Slice(56, LogFormat.SaltSizeBytes).ToArray());
        if (header.Kind != expectedKind || header.Sequence != expectedSequence)
        {
            throw new LogCorruptException(file, 0, $"the header is that of {header.Kind} {header.Sequence}, expected {expectedKind} {expectedSequence}: the file was renamed or replaced");
        }

        return header;
    }
}
