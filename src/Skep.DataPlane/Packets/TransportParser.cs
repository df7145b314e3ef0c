using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace Skep.DataPlane.Packets;

/// <summary>TCP, UDP, ICMP and ICMPv6.</summary>
internal static class TransportParser
{
    public const int TcpBytes = 20;
    public const int UdpBytes = 8;
    public const int IcmpBytes = 8;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PacketFault Parse(ReadOnlySpan<byte> frame, bool quoted, ref PacketHeaders h)
    {
        ReadOnlySpan<byte> transport = frame[h.TransportOffset..h.End];
        return h.Protocol switch
        {
            IpProtocol.Tcp => ParseTcp(transport, quoted, ref h),
            IpProtocol.Udp => ParseUdp(transport, quoted, ref h),
            IpProtocol.Icmp when h.Network == NetworkKind.IPv4 => ParseIcmp(transport, ref h),
            IpProtocol.IcmpV6 when h.Network == NetworkKind.IPv6 => ParseIcmp(transport, ref h),
            _ => PacketFault.None,
        };
    }

    private static PacketFault ParseTcp(ReadOnlySpan<byte> tcp, bool quoted, ref PacketHeaders h)
    {
        if (quoted && tcp.Length >= UdpBytes)
        {
            ReadPorts(tcp, ref h);
            h.PayloadOffset = (ushort)(h.TransportOffset + UdpBytes);
            return PacketFault.None;
        }
        // A first fragment without the whole header is an attack on filters (RFC 1858), never a sender's choice.
        if (tcp.Length < TcpBytes)
        {
            return PacketFault.Tcp;
        }
        int headerBytes = (tcp[12] >> 4) * 4;
        if (headerBytes < TcpBytes || headerBytes > tcp.Length)
        {
            return PacketFault.Tcp;
        }
        ReadPorts(tcp, ref h);
        h.Flags = (TcpFlags)tcp[13];
        h.PayloadOffset = (ushort)(h.TransportOffset + headerBytes);
        return PacketFault.None;
    }

    private static PacketFault ParseUdp(ReadOnlySpan<byte> udp, bool quoted, ref PacketHeaders h)
    {
        if (udp.Length < UdpBytes)
        {
            return PacketFault.Udp;
        }
        int length = BinaryPrimitives.ReadUInt16BigEndian(udp[4..]);
        bool mayReachPastEnd = quoted || h.Fragment == FragmentKind.First;
        if (length < UdpBytes || (length > udp.Length && !mayReachPastEnd))
        {
            return PacketFault.Udp;
        }
        ReadPorts(udp, ref h);
        h.PayloadOffset = (ushort)(h.TransportOffset + UdpBytes);
        return PacketFault.None;
    }

    private static PacketFault ParseIcmp(ReadOnlySpan<byte> icmp, ref PacketHeaders h)
    {
        if (icmp.Length < IcmpBytes)
        {
            return PacketFault.Icmp;
        }
        h.MessageType = icmp[0];
        h.MessageCode = icmp[1];
        h.PayloadOffset = (ushort)(h.TransportOffset + IcmpBytes);
        return PacketFault.None;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void ReadPorts(ReadOnlySpan<byte> transport, ref PacketHeaders h)
    {
        uint both = BinaryPrimitives.ReadUInt32BigEndian(transport);
        h.SourcePort = (ushort)(both >> 16);
        h.DestinationPort = (ushort)both;
    }
}
