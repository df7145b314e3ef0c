using System.Buffers.Binary;

namespace Skep.DataPlane.Ports.AfPacket;

/// <summary>
/// What a sender left for the hardware to do (struct virtio_net_hdr, in the machine's byte order): veth and virtual machines hand
/// packets over like that, since the memory between them damages nothing.
/// </summary>
/// <param name="Flags">Whether a checksum is to be completed.</param>
/// <param name="Kind">Whether, and into what, the frame is to be cut.</param>
/// <param name="SegmentBytes">Payload of each piece.</param>
/// <param name="ChecksumStart">Where the checksum's bytes begin.</param>
/// <param name="ChecksumOffset">Where from there the checksum stands.</param>
internal readonly record struct OffloadHeader(byte Flags, byte Kind, ushort SegmentBytes, ushort ChecksumStart, ushort ChecksumOffset)
{
    public const int SizeBytes = 10;
    public const byte NeedsChecksum = 1;
    public const byte KindNone = 0;
    public const byte KindTcpV4 = 1;
    public const byte KindTcpV6 = 4;
    public const byte KindUdp = 5;
    public const byte KindEcn = 0x80;

    /// <summary>Whether the frame must be cut.</summary>
    public bool IsLarge => (Kind & ~KindEcn) != KindNone;

    public static OffloadHeader Read(ReadOnlySpan<byte> bytes) => new(bytes[0], bytes[1], BinaryPrimitives.ReadUInt16LittleEndian(bytes[4..]),
        BinaryPrimitives.ReadUInt16LittleEndian(bytes[6..]), BinaryPrimitives.ReadUInt16LittleEndian(bytes[8..]));
}
