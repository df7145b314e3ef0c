using System.Buffers.Binary;

namespace Skep.DataPlane.Ports;

/// <summary>
/// Reads packet captures in the classic pcap format (draft-ietf-opsawg-pcap), of either byte order and of micro- or nanoseconds.
/// </summary>
public sealed class PcapReader : IDisposable
{
    internal const uint Microseconds = 0xA1B2C3D4;
    internal const uint Nanoseconds = 0xA1B23C4D;
    internal const uint EthernetLink = 1;
    internal const int FileHeaderBytes = 24;
    internal const int RecordHeaderBytes = 16;
    internal const int MaxFrameBytes = 262_144;
    private readonly Stream _stream;
    private readonly byte[] _record = new byte[RecordHeaderBytes];
    private readonly bool _bigEndian;
    private readonly long _unitNanoseconds;

    /// <summary>Opens a capture.</summary>
    /// <exception cref="InvalidDataException">It is no pcap file, or not of Ethernet.</exception>
    public PcapReader(Stream stream)
    {
        _stream = stream;
        byte[] header = new byte[FileHeaderBytes];
        if (stream.ReadAtLeast(header, header.Length, throwOnEndOfStream: false) < header.Length)
        {
            throw new InvalidDataException($"not a pcap file: it ends within the {FileHeaderBytes} bytes of its header");
        }
        uint magic = BinaryPrimitives.ReadUInt32LittleEndian(header);
        _bigEndian = magic is not (Microseconds or Nanoseconds);
        magic = Read32(header);
        if (magic is not (Microseconds or Nanoseconds))
        {
            throw new InvalidDataException($"not a pcap file: it begins with {magic:x8}, expected a1b2c3d4 or a1b23c4d (pcapng must be converted first)");
        }
        _unitNanoseconds = magic == Microseconds ? 1000 : 1;
        uint link = Read32(header.AsSpan(20)) & 0x0FFF_FFFF;
        if (link != EthernetLink)
        {
            throw new InvalidDataException($"the capture is of link type {link}, expected {EthernetLink} (Ethernet)");
        }
    }

    /// <summary>Reads the next frame into a buffer; a frame longer than the buffer is cut.</summary>
    /// <param name="buffer">Where to.</param>
    /// <param name="length">The bytes that were captured and fit.</param>
    /// <param name="time">When it was captured.</param>
    /// <returns>False at the file's end, also where it ends within a record, as one still being written may.</returns>
    /// <exception cref="InvalidDataException">A record claims more than 262,144 bytes.</exception>
    public bool TryRead(Span<byte> buffer, out int length, out DateTimeOffset time)
    {
        (length, time) = (0, default);
        if (_stream.ReadAtLeast(_record, RecordHeaderBytes, throwOnEndOfStream: false) < RecordHeaderBytes)
        {
            return false;
        }
        uint captured = Read32(_record.AsSpan(8));
        if (captured > MaxFrameBytes)
        {
            throw new InvalidDataException($"a record of the capture claims {captured} bytes, expected {MaxFrameBytes} at most");
        }
        long ticks = Read32(_record) * TimeSpan.TicksPerSecond + Read32(_record.AsSpan(4)) * _unitNanoseconds / 100;
        time = DateTimeOffset.UnixEpoch.AddTicks(ticks);
        length = Math.Min((int)captured, buffer.Length);
        if (_stream.ReadAtLeast(buffer[..length], length, throwOnEndOfStream: false) < length)
        {
            return false;
        }
        for (int left = (int)captured - length; left > 0;)
        {
            int skipped = _stream.Read(_record, 0, Math.Min(left, _record.Length));
            if (skipped == 0)
            {
                return false;
            }
            left -= skipped;
        }
        return true;
    }

    private uint Read32(ReadOnlySpan<byte> bytes) =>
        _bigEndian ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : BinaryPrimitives.ReadUInt32LittleEndian(bytes);

    /// <inheritdoc />
    public void Dispose() => _stream.Dispose();
}
