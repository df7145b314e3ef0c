using System.Buffers.Binary;

namespace Skep.DataPlane.Ports;

/// <summary>Writes packet captures in the classic pcap format, little-endian, with nanoseconds.</summary>
public sealed class PcapWriter : IDisposable
{
    private readonly Stream _stream;

    /// <summary>Starts a capture.</summary>
    public PcapWriter(Stream stream)
    {
        _stream = stream;
        Span<byte> header = stackalloc byte[PcapReader.FileHeaderBytes];
        header.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(header, PcapReader.Nanoseconds);
        BinaryPrimitives.WriteUInt16LittleEndian(header[4..], 2);
        BinaryPrimitives.WriteUInt16LittleEndian(header[6..], 4);
        BinaryPrimitives.WriteUInt32LittleEndian(header[16..], PcapReader.MaxFrameBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(header[20..], PcapReader.EthernetLink);
        stream.Write(header);
    }

    /// <summary>Adds a frame.</summary>
    public void Write(ReadOnlySpan<byte> frame, DateTimeOffset time) => Write(frame, frame.Length, time);

    /// <summary>Adds the first bytes of a frame.</summary>
    /// <param name="frame">What is there of it.</param>
    /// <param name="wholeLength">How long it was.</param>
    /// <param name="time">When it was seen.</param>
    public void Write(ReadOnlySpan<byte> frame, int wholeLength, DateTimeOffset time)
    {
        long ticks = time.UtcTicks - DateTimeOffset.UnixEpoch.Ticks;
        Span<byte> record = stackalloc byte[PcapReader.RecordHeaderBytes];
        BinaryPrimitives.WriteUInt32LittleEndian(record, (uint)(ticks / TimeSpan.TicksPerSecond));
        BinaryPrimitives.WriteUInt32LittleEndian(record[4..], (uint)(ticks % TimeSpan.TicksPerSecond * 100));
        BinaryPrimitives.WriteUInt32LittleEndian(record[8..], (uint)frame.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(record[12..], (uint)wholeLength);
        _stream.Write(record);
        _stream.Write(frame);
    }

    /// <inheritdoc />
    public void Dispose() => _stream.Dispose();
}
