using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace Skep.DataPlane.Packets;

/// <summary>IPv4 with its options, IPv6 with its extension headers, fragments of both.</summary>
internal static class IpParser
{
    public const int V4Bytes = 20;
    public const int V6Bytes = 40;
    private const int MoreFragments = 0x2000;

    [SkipLocalsInit]
    public static PacketFault ParseV4(ReadOnlySpan<byte> frame, bool quoted, ref PacketHeaders h)
    {
        ReadOnlySpan<byte> ip = frame[h.NetworkOffset..];
        if (ip.Length < V4Bytes)
        {
            return PacketFault.IpHeaderLength;
        }
        if (ip[0] >> 4 != 4)
        {
            return PacketFault.IpVersion;
        }
        int headerBytes = (ip[0] & 0x0F) * 4;
        if (headerBytes < V4Bytes || headerBytes > ip.Length)
        {
            return PacketFault.IpHeaderLength;
        }
        int total = BinaryPrimitives.ReadUInt16BigEndian(ip[2..]);
        if (total < headerBytes || (total > ip.Length && !quoted))
        {
            return PacketFault.IpTotalLength;
        }
        total = Math.Min(total, ip.Length);
        h.Network = NetworkKind.IPv4;
        h.Source = IpAddr.ReadV4(ip[12..]);
        h.Destination = IpAddr.ReadV4(ip[16..]);
        h.Ttl = ip[8];
        h.Protocol = ip[9];
        h.End = (ushort)(h.NetworkOffset + total);
        h.TransportOffset = h.PayloadOffset = (ushort)(h.NetworkOffset + headerBytes);
        if (h.Source.V4Bits >= 0xE000_0000)
        {
            return PacketFault.IpAddress;
        }
        int fragment = BinaryPrimitives.ReadUInt16BigEndian(ip[6..]);
        int position = (fragment & 0x1FFF) * 8;
        if (position + (fragment & MoreFragments) != 0)
        {
            if (headerBytes + position + (total - headerBytes) > ushort.MaxValue)
            {
                return PacketFault.FragmentReach;
            }
            h.Fragment = position == 0 ? FragmentKind.First : FragmentKind.Later;
            h.FragmentId = BinaryPrimitives.ReadUInt16BigEndian(ip[4..]);
        }
        return h.Fragment == FragmentKind.Later ? PacketFault.None : TransportParser.Parse(frame, quoted, ref h);
    }

    [SkipLocalsInit]
    public static PacketFault ParseV6(ReadOnlySpan<byte> frame, bool quoted, ref PacketHeaders h)
    {
        ReadOnlySpan<byte> ip = frame[h.NetworkOffset..];
        if (ip.Length < V6Bytes)
        {
            return PacketFault.IpHeaderLength;
        }
        if (ip[0] >> 4 != 6)
        {
            return PacketFault.IpVersion;
        }
        int total = V6Bytes + BinaryPrimitives.ReadUInt16BigEndian(ip[4..]);
        if (total > ip.Length && !quoted)
        {
            return PacketFault.IpTotalLength;
        }
        total = Math.Min(total, ip.Length);
        h.Network = NetworkKind.IPv6;
        h.Source = IpAddr.ReadV6(ip[8..]);
        h.Destination = IpAddr.ReadV6(ip[24..]);
        if (h.Source.IsV4 || h.Destination.IsV4 || h.Source.High >> 56 == 0xFF)
        {
            return PacketFault.IpAddress;
        }
        h.Ttl = ip[7];
        h.End = (ushort)(h.NetworkOffset + total);
        PacketFault fault = WalkExtensions(frame, ip[6], ref h);
        if (fault != PacketFault.None)
        {
            return fault;
        }
        return h.Fragment == FragmentKind.Later ? PacketFault.None : TransportParser.Parse(frame, quoted, ref h);
    }

    private static PacketFault WalkExtensions(ReadOnlySpan<byte> frame, byte next, ref PacketHeaders h)
    {
        int offset = h.NetworkOffset + V6Bytes;
        for (int count = 0; ; count++)
        {
            bool known = next is IpProtocol.HopByHop or IpProtocol.Routing or IpProtocol.Fragment
                or IpProtocol.Authentication or IpProtocol.DestinationOptions;
            if (!known || h.Fragment == FragmentKind.Later)
            {
                h.Protocol = next;
                h.TransportOffset = h.PayloadOffset = (ushort)offset;
                return PacketFault.None;
            }
            // Options for every hop stand first or nowhere (RFC 8200, 4.1).
            if (count == PacketParser.MaxExtensionHeaders || h.End - offset < 8 || (next == IpProtocol.HopByHop && count > 0))
            {
                return PacketFault.ExtensionHeaders;
            }
            int bytes = next switch
            {
                IpProtocol.Fragment => 8,
                IpProtocol.Authentication => (frame[offset + 1] + 2) * 4,
                _ => (frame[offset + 1] + 1) * 8,
            };
            if (bytes > h.End - offset)
            {
                return PacketFault.ExtensionHeaders;
            }
            if (next == IpProtocol.Fragment)
            {
                if (h.Fragment != FragmentKind.Whole)
                {
                    return PacketFault.ExtensionHeaders;
                }
                int field = BinaryPrimitives.ReadUInt16BigEndian(frame[(offset + 2)..]);
                int position = field & 0xFFF8;
                if (position + (h.End - offset - bytes) > ushort.MaxValue)
                {
                    return PacketFault.FragmentReach;
                }
                h.FragmentId = BinaryPrimitives.ReadUInt32BigEndian(frame[(offset + 4)..]);
                // A fragment that is first and last is the whole (RFC 6946).
                h.Fragment = position > 0 ? FragmentKind.Later : (field & 1) != 0 ? FragmentKind.First : FragmentKind.Whole;
            }
            next = frame[offset];
            offset += bytes;
        }
    }
}
