using System.Buffers.Binary;

namespace Skep.Raft.Log;

/// <summary>
/// The clear 56 bytes before each ciphertext. The frame names its own place, so a frame is recognised by it when
/// the way to it is lost, and never taken for one written elsewhere. What kind of record it is, of which group, index
/// and term, stands in the clear (and is authenticated), so that opening a log need not decrypt it.
/// </summary>
/// <param name="OffsetBytes">Where the frame lies in its file.</param>
/// <param name="LengthBytes">Frame header, ciphertext and tag, without the padding behind.</param>
/// <param name="BatchStartBytes">Where the batch of this frame begins: everything before was durable when it was written.</param>
/// <param name="Counter">Number of the frame in its file, from 0; the nonce.</param>
/// <param name="Type">The record's type.</param>
/// <param name="Group">The record's group.</param>
/// <param name="Index">The record's index.</param>
/// <param name="Term">The record's term.</param>
internal readonly record struct FrameHeader(
    long OffsetBytes, int LengthBytes, long BatchStartBytes, ulong Counter, RecordType Type, ulong Group, ulong Index, ulong Term)
{
    public FrameHeader(long offset, long batchStart, ulong counter, in LogRecord record)
        : this(offset, LogFormat.FrameOverheadBytes + record.Payload.Length, batchStart, counter, record.Type, record.Group, record.Index, record.Term)
    {
    }

    public const int ChecksumOffset = 8;

    /// <summary>The part of the header behind the checksum, and with that before it what the tag authenticates.</summary>
    public const int BehindChecksum = 12;

    public int PaddedLengthBytes => LogFormat.Align(LengthBytes);

    public int PayloadLengthBytes => LengthBytes - LogFormat.FrameOverheadBytes;

    /// <summary>The record with the payload that was decrypted, or with none.</summary>
    public LogRecord ToRecord(ReadOnlyMemory<byte> payload = default) => new(Type, Group, Index, Term, payload);

    /// <summary>Writes all but the checksum.</summary>
    public void Write(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(destination, (uint)(OffsetBytes / LogFormat.AlignmentBytes));
        BinaryPrimitives.WriteUInt32LittleEndian(destination[4..], (uint)LengthBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[12..], (uint)(BatchStartBytes / LogFormat.AlignmentBytes));
        BinaryPrimitives.WriteUInt64LittleEndian(destination[16..], Counter);
        destination[24..32].Clear();
        destination[24] = (byte)Type;
        BinaryPrimitives.WriteUInt64LittleEndian(destination[32..], Group);
        BinaryPrimitives.WriteUInt64LittleEndian(destination[40..], Index);
        BinaryPrimitives.WriteUInt64LittleEndian(destination[48..], Term);
    }

    /// <summary>Reads and checks the frame that lies at an offset of a file.</summary>
    /// <param name="frame">The file's bytes from that offset on, as many as there are.</param>
    /// <param name="offset">The offset.</param>
    /// <param name="header">The header, when there is a sound frame.</param>
    /// <returns>null when header, length and checksum are right; else what is wrong, in a few words.</returns>
    public static string? Read(ReadOnlySpan<byte> frame, long offset, out FrameHeader header)
    {
        header = default;
        if (frame.Length < LogFormat.FrameOverheadBytes)
        {
            return "the file ends within a record";
        }

        if (BinaryPrimitives.ReadUInt32LittleEndian(frame) != offset / LogFormat.AlignmentBytes)
        {
            return frame[..LogFormat.FrameHeaderSizeBytes].ContainsAnyExcept((byte)0) ? "no record begins here" : "zeros where a record should be";
        }

        var length = BinaryPrimitives.ReadUInt32LittleEndian(frame[4..]);
        if (length < LogFormat.FrameOverheadBytes || length > LogFormat.FrameOverheadBytes + LogFormat.MaxPayloadSizeBytes || length > frame.Length)
        {
            return $"a record cannot be {length} bytes long";
        }

        frame = frame[..(int)length];
        if (BinaryPrimitives.ReadUInt32LittleEndian(frame[ChecksumOffset..]) != Checksum(frame))
        {
            return "the checksum (CRC32C) of the record is wrong";
        }

        header = new FrameHeader(
            offset,
            (int)length,
            (long)BinaryPrimitives.ReadUInt32LittleEndian(frame[12..]) * LogFormat.AlignmentBytes,
            BinaryPrimitives.ReadUInt64LittleEndian(frame[16..]),
            (RecordType)frame[24],
            BinaryPrimitives.ReadUInt64LittleEndian(frame[32..]),
            BinaryPrimitives.ReadUInt64LittleEndian(frame[40..]),
            BinaryPrimitives.ReadUInt64LittleEndian(frame[48..]));
        return null;
    }

    public static uint Checksum(ReadOnlySpan<byte> frame) => Crc32C.Compute(frame[..ChecksumOffset], frame[BehindChecksum..]);
}
