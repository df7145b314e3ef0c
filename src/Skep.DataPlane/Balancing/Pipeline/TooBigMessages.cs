using System.Buffers.Binary;
using Skep.DataPlane.Buffers;
using Skep.DataPlane.Packets;

namespace Skep.DataPlane.Balancing.Pipeline;

/// <summary>
/// Tells senders that a packet does not fit where it should go, and what does: "fragmentation needed" (RFC 1191), "packet too big"
/// (RFC 4443). It speaks as the host that the packet was for, which the sender believes wherever it is. At most one a millisecond, as
/// routers bound what they say.
/// </summary>
internal sealed class TooBigMessages
{
    private const int IcmpBytes = 8, V4MessageBytes = 576, V6MessageBytes = 1280;
    private const byte Unreachable = 3, FragmentationNeeded = 4, PacketTooBig = 2, Ttl = 64;
    private const int DontFragment = 0x4000;
    private long _lastMs = long.MinValue;

    /// <summary>Makes the packet that came such a message to who sent it.</summary>
    /// <param name="packet">The packet, as it came.</param>
    /// <param name="h">Its headers.</param>
    /// <param name="ours">The address of the port by which it came, and the message goes.</param>
    /// <param name="mtuBytes">How long it could have been.</param>
    /// <param name="nowMs">The time.</param>
    /// <returns>False where it is not to be told: fragments would be allowed, or one was told in this millisecond.</returns>
    public bool TryMake(ref Packet packet, in PacketHeaders h, MacAddress ours, int mtuBytes, long nowMs)
    {
        Span<byte> frame = packet.Bytes;
        bool v4 = h.Network == NetworkKind.IPv4;
        int ipBytes = v4 ? IpParser.V4Bytes : IpParser.V6Bytes;
        int transport = h.NetworkOffset + ipBytes;

        // No longer than the packet was, whose buffer may have no more room.
        int quoteBytes = Math.Min(h.End - transport - IcmpBytes, (v4 ? V4MessageBytes : V6MessageBytes) - ipBytes - IcmpBytes);
        if (quoteBytes < h.TransportOffset - h.NetworkOffset + IcmpBytes
            || nowMs == _lastMs || (v4 && (BinaryPrimitives.ReadUInt16BigEndian(frame[(h.NetworkOffset + 6)..]) & DontFragment) == 0))
        {
            return false;
        }
        _lastMs = nowMs;
        frame.Slice(h.NetworkOffset, quoteBytes).CopyTo(frame[(transport + IcmpBytes)..]);
        packet.SetLength(transport + IcmpBytes + quoteBytes);
        frame = packet.Bytes;
        Rewriter.SetLink(frame, MacAddress.Read(frame[MacAddress.SizeBytes..]), ours);
        Span<byte> ip = frame[h.NetworkOffset..];
        ip[..(ipBytes + IcmpBytes)].Clear();
        Span<byte> message = ip[ipBytes..];
        if (v4)
        {
            ip[0] = 0x45;
            BinaryPrimitives.WriteUInt16BigEndian(ip[2..], (ushort)ip.Length);
            (ip[8], ip[9]) = (Ttl, IpProtocol.Icmp);
            h.Destination.Write(ip[12..]);
            h.Source.Write(ip[16..]);
            BinaryPrimitives.WriteUInt16BigEndian(ip[10..], Checksum.Of(ip[..ipBytes]));
            (message[0], message[1]) = (Unreachable, FragmentationNeeded);
            BinaryPrimitives.WriteUInt16BigEndian(message[6..], (ushort)mtuBytes);
        }
        else
        {
            ip[0] = 0x60;
            BinaryPrimitives.WriteUInt16BigEndian(ip[4..], (ushort)message.Length);
            (ip[6], ip[7]) = (IpProtocol.IcmpV6, Ttl);
            h.Destination.Write(ip[8..]);
            h.Source.Write(ip[24..]);
            message[0] = PacketTooBig;
            BinaryPrimitives.WriteUInt32BigEndian(message[4..], (uint)mtuBytes);
        }
        PacketHeaders sealing = h;
        (sealing.TransportOffset, sealing.End) = ((ushort)transport, (ushort)packet.Length);
        Rewriter.SealIcmp(frame, sealing, h.Destination, h.Source);
        return true;
    }
}
