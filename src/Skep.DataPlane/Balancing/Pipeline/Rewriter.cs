using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Skep.DataPlane.Packets;

namespace Skep.DataPlane.Balancing.Pipeline;

/// <summary>Changes addresses, ports and checksums in place.</summary>
internal static class Rewriter
{
    private const int TcpChecksum = 16;
    private const int UdpChecksum = 6;

    /// <summary>Where a frame goes on its next link.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SetLink(Span<byte> frame, MacAddress destination, MacAddress source)
    {
        destination.Write(frame);
        source.Write(frame[MacAddress.SizeBytes..]);
    }

    /// <summary>Puts another address and port in the place of the destination's or the source's; transport and IPv4 checksums follow.</summary>
    public static void Translate(Span<byte> frame, in PacketHeaders h, bool destination, IpAddr address, ushort port, bool hop = true)
    {
        var delta = new ChecksumDelta();
        delta.Replace(destination ? h.Destination : h.Source, address);
        TranslateAddress(frame, h, destination, address, hop);
        if (h.Fragment == FragmentKind.Later)
        {
            return;
        }
        delta.Replace16(destination ? h.DestinationPort : h.SourcePort, port);
        Span<byte> transport = frame[h.TransportOffset..h.End];
        BinaryPrimitives.WriteUInt16BigEndian(transport[(destination ? 2 : 0)..], port);
        bool udp = h.Protocol == IpProtocol.Udp;
        int at = udp ? UdpChecksum : TcpChecksum;
        if (transport.Length < at + sizeof(ushort))
        {
            return;
        }
        ushort checksum = BinaryPrimitives.ReadUInt16BigEndian(transport[at..]);
        if (udp && checksum == 0)
        {
            // The sender made none (RFC 768).
            return;
        }
        checksum = delta.Apply(checksum);
        BinaryPrimitives.WriteUInt16BigEndian(transport[at..], udp && checksum == 0 ? (ushort)0xFFFF : checksum);
    }

    /// <summary>Puts another address in the IP header, takes one from its time to live where it makes a hop, and mends the IPv4 checksum.</summary>
    public static void TranslateAddress(Span<byte> frame, in PacketHeaders h, bool destination, IpAddr address, bool hop)
    {
        Span<byte> ip = frame[h.NetworkOffset..];
        if (h.Network == NetworkKind.IPv6)
        {
            address.Write(ip[(destination ? 24 : 8)..]);
            ip[7] -= (byte)(hop ? 1 : 0);
            return;
        }
        var delta = new ChecksumDelta();
        delta.Replace(destination ? h.Destination : h.Source, address);
        address.Write(ip[(destination ? 16 : 12)..]);
        if (hop)
        {
            ushort before = BinaryPrimitives.ReadUInt16BigEndian(ip[8..]);
            delta.Replace16(before, (ushort)(before - 0x100));
            ip[8]--;
        }
        BinaryPrimitives.WriteUInt16BigEndian(ip[10..], delta.Apply(BinaryPrimitives.ReadUInt16BigEndian(ip[10..])));
    }

    /// <summary>Whether an ICMP or ICMPv6 message is as its sender made it.</summary>
    public static bool IsIcmpIntact(ReadOnlySpan<byte> frame, in PacketHeaders h) =>
        Checksum.Finish(Checksum.Add(IcmpPseudoHeader(h.Network, h.Source, h.Destination, h.End - h.TransportOffset), frame[h.TransportOffset..h.End])) == 0;

    /// <summary>Makes the checksum of an ICMP or ICMPv6 message anew.</summary>
    public static void SealIcmp(Span<byte> frame, in PacketHeaders h, IpAddr source, IpAddr destination)
    {
        Span<byte> message = frame[h.TransportOffset..h.End];
        message[2] = message[3] = 0;
        ulong sum = IcmpPseudoHeader(h.Network, source, destination, message.Length);
        BinaryPrimitives.WriteUInt16BigEndian(message[2..], Checksum.Finish(Checksum.Add(sum, message)));
    }

    private static ulong IcmpPseudoHeader(NetworkKind network, IpAddr source, IpAddr destination, int length) =>
        network == NetworkKind.IPv4 ? 0 : Checksum.PseudoHeader(source, destination, IpProtocol.IcmpV6, length);
}
