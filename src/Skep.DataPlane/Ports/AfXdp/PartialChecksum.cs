using System.Buffers.Binary;
using Skep.DataPlane.Packets;

namespace Skep.DataPlane.Ports.AfXdp;

/// <summary>
/// Finds and completes checksums that a sender left to the hardware. AF_XDP hands over no note of them, yet they are known by what
/// stands in their place: the pseudo header's own sum. A right checksum that happens to be the same number is left alone.
/// </summary>
internal static class PartialChecksum
{
    private const int TcpAt = 16, UdpAt = 6;

    /// <summary>Completes the checksum of a TCP segment or UDP datagram, if it is partial.</summary>
    /// <returns>Whether it was.</returns>
    public static bool TryComplete(Span<byte> frame)
    {
        if (PacketParser.Parse(frame, out PacketHeaders h) != PacketFault.None || h.Fragment != FragmentKind.Whole
            || h.Protocol is not (IpProtocol.Tcp or IpProtocol.Udp))
        {
            return false;
        }
        Span<byte> transport = frame[h.TransportOffset..h.End];
        int at = h.Protocol == IpProtocol.Tcp ? TcpAt : UdpAt;
        if (transport.Length < at + sizeof(ushort))
        {
            return false;
        }
        ulong pseudo = Checksum.PseudoHeader(h.Source, h.Destination, h.Protocol, transport.Length);
        int partial = (ushort)~Checksum.Finish(pseudo), there = BinaryPrimitives.ReadUInt16BigEndian(transport[at..]);
        // 0 and 0xFFFF are the same number in one's complement.
        if (partial % 0xFFFF != there % 0xFFFF || Checksum.Finish(Checksum.Add(pseudo, transport)) == 0)
        {
            return false;
        }
        ushort checksum = Checksum.Of(transport);
        BinaryPrimitives.WriteUInt16BigEndian(transport[at..], checksum == 0 && at == UdpAt ? (ushort)0xFFFF : checksum);
        return true;
    }
}
