using System.Buffers.Binary;
using Skep.DataPlane.Balancing.Configuration;
using Skep.DataPlane.Balancing.Pipeline;
using Skep.DataPlane.Buffers;
using Skep.DataPlane.Packets;

namespace Skep.DataPlane.Balancing.Neighbors;

/// <summary>Asks for the Ethernet addresses of next hops before a packet needs them, and again before they grow old.</summary>
internal sealed class NeighborProber(IReadOnlyList<MacAddress> ports)
{
    private const long AskEveryMs = 1_000;
    private const long ConfirmEveryMs = 20_000;
    private int _next;

    /// <summary>Looks at the next neighbours and makes at most one question.</summary>
    /// <param name="left">Neighbours still to look at; counted down.</param>
    /// <param name="table">Whom to ask.</param>
    /// <param name="pool">Where the question gets its buffer.</param>
    /// <param name="nowMs">The time.</param>
    /// <param name="packet">The question.</param>
    /// <param name="port">Where to send it.</param>
    public bool TryNext(ref int left, BalancerTable table, PacketPool pool, long nowMs, out Packet packet, out int port)
    {
        Neighbor[] neighbors = table.NeighborList;
        for (; left > 0 && neighbors.Length > 0; left--)
        {
            Neighbor neighbor = neighbors[(int)((uint)_next++ % (uint)neighbors.Length)];
            if (table.Routes.SourceFor(neighbor.Port, neighbor.Address) is not { } source || !neighbor.ShouldAsk(nowMs, AskEveryMs, ConfirmEveryMs))
            {
                continue;
            }
            port = neighbor.Port;
            return neighbor.Address.IsV4
                ? TryAskV4(pool, ports[port], source, neighbor.Address, out packet)
                : TryAskV6(pool, ports[port], source, neighbor.Address, out packet);
        }
        (packet, port) = (default, 0);
        return false;
    }

    private static bool TryAskV4(PacketPool pool, MacAddress ours, IpAddr source, IpAddr target, out Packet packet)
    {
        if (!pool.TryRent(PacketParser.EthernetBytes + ArpFields.SizeBytes, out packet))
        {
            return false;
        }
        Span<byte> frame = packet.Bytes;
        Rewriter.SetLink(frame, MacAddress.Broadcast, ours);
        BinaryPrimitives.WriteUInt16BigEndian(frame[12..], EtherType.Arp);
        Span<byte> arp = frame[PacketParser.EthernetBytes..];
        arp.Clear();
        BinaryPrimitives.WriteUInt64BigEndian(arp, (ArpFields.EthernetIPv4 << 16) | ArpFields.Request);
        ours.Write(arp[ArpFields.SenderMac..]);
        source.Write(arp[ArpFields.SenderAddress..]);
        target.Write(arp[ArpFields.TargetAddress..]);
        return true;
    }

    private static bool TryAskV6(PacketPool pool, MacAddress ours, IpAddr source, IpAddr target, out Packet packet)
    {
        const int messageBytes = LinkAnswers.SolicitationBytes + LinkAnswers.OptionBytes;
        if (!pool.TryRent(PacketParser.EthernetBytes + IpParser.V6Bytes + messageBytes, out packet))
        {
            return false;
        }
        // The group in which a host listens for questions about its own address: ff02::1:ff and the address's last 24 bits.
        ulong last = target.Low & 0xFF_FFFF;
        var group = new IpAddr(0xFF02_0000_0000_0000, 0x0000_0001_FF00_0000 | last);
        Span<byte> frame = packet.Bytes;
        frame.Clear();
        Rewriter.SetLink(frame, new MacAddress(0x3333_FF00_0000 | last), ours);
        BinaryPrimitives.WriteUInt16BigEndian(frame[12..], EtherType.IPv6);
        Span<byte> ip = frame[PacketParser.EthernetBytes..];
        ip[0] = 0x60;
        BinaryPrimitives.WriteUInt16BigEndian(ip[4..], messageBytes);
        ip[6] = IpProtocol.IcmpV6;
        ip[7] = 255;
        source.Write(ip[8..]);
        group.Write(ip[24..]);
        Span<byte> message = ip[IpParser.V6Bytes..];
        message[0] = LinkAnswers.Solicitation;
        target.Write(message[8..]);
        message[24] = 1;
        message[25] = 1;
        ours.Write(message[26..]);
        var h = new PacketHeaders
        {
            Network = NetworkKind.IPv6,
            TransportOffset = PacketParser.EthernetBytes + IpParser.V6Bytes,
            End = (ushort)frame.Length,
        };
        Rewriter.SealIcmp(frame, h, source, group);
        return true;
    }
}
