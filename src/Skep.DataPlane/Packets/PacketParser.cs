using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace Skep.DataPlane.Packets;

/// <summary>
/// Reads the headers of a frame in place. Every length comes from a stranger, so each is held against the bytes that are there
/// before anything is read by it; all reading goes through spans, so that even a mistake here could not leave the buffer.
/// </summary>
public static class PacketParser
{
    /// <summary>Bytes of an Ethernet header without tags.</summary>
    public const int EthernetBytes = 14;

    /// <summary>IPv6 extension headers looked through at most.</summary>
    public const int MaxExtensionHeaders = 8;

    private const int VlanTagBytes = 4;

    /// <summary>Reads a frame that begins at Ethernet.</summary>
    /// <returns><see cref="PacketFault.None"/>, or why the frame is refused: then <paramref name="headers"/> must not be used.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PacketFault Parse(ReadOnlySpan<byte> frame, out PacketHeaders headers) =>
        UsualPacket.TryParse(frame, out headers) ? PacketFault.None : ParseAny(frame, out headers);

    /// <summary>Reads any frame, step by step.</summary>
    [SkipLocalsInit]
    internal static PacketFault ParseAny(ReadOnlySpan<byte> frame, out PacketHeaders headers)
    {
        headers = default;
        if (frame.Length is < EthernetBytes or > ushort.MaxValue)
        {
            return PacketFault.FrameLength;
        }
        int offset = EthernetBytes;
        ushort type = BinaryPrimitives.ReadUInt16BigEndian(frame[12..]);
        while (type is EtherType.Vlan or EtherType.ServiceVlan)
        {
            if (headers.VlanCount == 2)
            {
                return PacketFault.TooManyVlanTags;
            }
            if (frame.Length < offset + VlanTagBytes)
            {
                return PacketFault.FrameLength;
            }
            headers.VlanTag = BinaryPrimitives.ReadUInt16BigEndian(frame[offset..]);
            type = BinaryPrimitives.ReadUInt16BigEndian(frame[(offset + 2)..]);
            headers.VlanCount++;
            offset += VlanTagBytes;
        }
        headers.EtherType = type;
        headers.NetworkOffset = (ushort)offset;
        headers.TransportOffset = headers.PayloadOffset = headers.End = (ushort)frame.Length;
        return type switch
        {
            EtherType.IPv4 => IpParser.ParseV4(frame, quoted: false, ref headers),
            EtherType.IPv6 => IpParser.ParseV6(frame, quoted: false, ref headers),
            EtherType.Arp => ParseArp(frame, ref headers),
            _ => PacketFault.None,
        };
    }

    /// <summary>
    /// Reads the start of a datagram that an ICMP error quotes: lengths may reach past the quote, and eight bytes of the transport
    /// header are enough. Offsets count from <paramref name="message"/>'s first byte.
    /// </summary>
    /// <param name="message">What holds the quote.</param>
    /// <param name="offset">Where the quoted IP header begins.</param>
    /// <param name="v6">Whether it is IPv6.</param>
    /// <param name="headers">What was read.</param>
    public static PacketFault ParseQuoted(ReadOnlySpan<byte> message, int offset, bool v6, out PacketHeaders headers)
    {
        headers = default;
        if (message.Length > ushort.MaxValue || offset < 0 || offset > message.Length)
        {
            return PacketFault.FrameLength;
        }
        headers.NetworkOffset = (ushort)offset;
        headers.TransportOffset = headers.PayloadOffset = headers.End = (ushort)message.Length;
        return v6 ? IpParser.ParseV6(message, quoted: true, ref headers) : IpParser.ParseV4(message, quoted: true, ref headers);
    }

    private static PacketFault ParseArp(ReadOnlySpan<byte> frame, ref PacketHeaders h)
    {
        ReadOnlySpan<byte> arp = frame[h.NetworkOffset..];
        if (arp.Length < ArpFields.SizeBytes || BinaryPrimitives.ReadUInt64BigEndian(arp) >> 16 != ArpFields.EthernetIPv4)
        {
            return PacketFault.Arp;
        }
        ushort operation = BinaryPrimitives.ReadUInt16BigEndian(arp[6..]);
        if (operation is not (ArpFields.Request or ArpFields.Reply))
        {
            return PacketFault.Arp;
        }
        h.Network = NetworkKind.Arp;
        h.MessageType = (byte)operation;
        h.Source = IpAddr.ReadV4(arp[ArpFields.SenderAddress..]);
        h.Destination = IpAddr.ReadV4(arp[ArpFields.TargetAddress..]);
        h.End = (ushort)(h.NetworkOffset + ArpFields.SizeBytes);
        h.TransportOffset = h.PayloadOffset = h.End;
        return PacketFault.None;
    }
}
