using System.Buffers.Binary;
using Skep.DataPlane.Packets;

namespace Skep.DataPlane.Ports.AfPacket;

/// <summary>Completes a checksum whose place holds the pseudo header's sum only.</summary>
internal static class ChecksumCompletion
{
    private const int UdpChecksum = 6;

    /// <summary>Completes it.</summary>
    /// <returns>False where the header points outside the frame.</returns>
    public static bool TryComplete(Span<byte> frame, in OffloadHeader offload)
    {
        int start = offload.ChecksumStart, at = start + offload.ChecksumOffset;
        if (at + sizeof(ushort) > frame.Length)
        {
            return false;
        }
        ushort checksum = Checksum.Of(frame[start..]);
        BinaryPrimitives.WriteUInt16BigEndian(frame[at..], checksum == 0 && offload.ChecksumOffset == UdpChecksum ? (ushort)0xFFFF : checksum);
        return true;
    }
}
