using System.Buffers.Binary;
using Skep.DataPlane.Balancing.Configuration;
using Skep.DataPlane.Balancing.Pipeline;
using Skep.DataPlane.Buffers;
using Skep.DataPlane.Packets;

namespace Skep.DataPlane.Balancing.Neighbors;

/// <summary>Answers ARP (RFC 826), neighbour discovery (RFC 4861) and echo requests for service addresses, and learns who neighbours are.</summary>
internal static class LinkAnswers
{
    internal const byte Solicitation = 135;
    internal const byte Advertisement = 136;
    internal const int SolicitationBytes = 24;
    internal const int OptionBytes = 8;
    private const byte SourceLinkAddress = 1;
    private const byte TargetLinkAddress = 2;
    private const uint Solicited = 0x4000_0000;
    private const uint Override = 0x2000_0000;
    private static readonly IpAddr AllNodes = IpAddr.Parse("ff02::1");
    private static readonly MacAddress AllNodesMac = new(0x3333_0000_0001);

    /// <summary>Handles an ARP packet.</summary>
    public static Verdict Arp(BalancerTable table, Span<byte> frame, in PacketHeaders h, int port, MacAddress ours, long nowMs)
    {
        Span<byte> arp = frame[h.NetworkOffset..];
        MacAddress sender = MacAddress.Read(arp[ArpFields.SenderMac..]);
        Learn(table, h.Source, port, sender, nowMs);
        if (h.MessageType != ArpFields.Request || !Answers(table, port, h.Destination))
        {
            return Verdict.ToKernel;
        }
        BinaryPrimitives.WriteUInt16BigEndian(arp[ArpFields.Operation..], ArpFields.Reply);
        arp.Slice(ArpFields.SenderMac, MacAddress.SizeBytes + 4).CopyTo(arp[ArpFields.TargetMac..]);
        ours.Write(arp[ArpFields.SenderMac..]);
        h.Destination.Write(arp[ArpFields.SenderAddress..]);
        Rewriter.SetLink(frame, sender, ours);
        return Verdict.Send(port);
    }

    /// <summary>Handles a neighbour solicitation or advertisement.</summary>
    public static Verdict Discovery(BalancerTable table, ref Packet packet, in PacketHeaders h, int port, MacAddress ours, long nowMs)
    {
        Span<byte> frame = packet.Bytes;
        Span<byte> message = frame[h.TransportOffset..h.End];
        // A hop limit of 255 cannot have come through a router.
        if (h.Ttl != 255 || h.MessageCode != 0 || message.Length < SolicitationBytes || h.Fragment != FragmentKind.Whole || !Rewriter.IsIcmpIntact(frame, h))
        {
            return Verdict.ToKernel;
        }
        IpAddr target = IpAddr.ReadV6(message[8..]);
        if (h.MessageType == Advertisement)
        {
            Learn(table, target, port, Option(message, TargetLinkAddress) ?? MacAddress.Read(frame[MacAddress.SizeBytes..]), nowMs);
            return Verdict.ToKernel;
        }
        bool probing = (h.Source.High | h.Source.Low) == 0;
        MacAddress sender = Option(message, SourceLinkAddress) ?? MacAddress.Read(frame[MacAddress.SizeBytes..]);
        if (!probing)
        {
            Learn(table, h.Source, port, sender, nowMs);
        }
        if (!Answers(table, port, target))
        {
            return Verdict.ToKernel;
        }
        Advertise(ref packet, h, target, probing ? AllNodes : h.Source, probing ? AllNodesMac : sender, ours, probing ? Override : Override | Solicited);
        return Verdict.Send(port);
    }

    /// <summary>Turns an echo request round.</summary>
    public static Verdict Echo(Span<byte> frame, in PacketHeaders h, int port, MacAddress ours)
    {
        Span<byte> ip = frame[h.NetworkOffset..];
        bool v4 = h.Network == NetworkKind.IPv4;
        h.Destination.Write(ip[(v4 ? 12 : 8)..]);
        h.Source.Write(ip[(v4 ? 16 : 24)..]);
        Span<byte> message = frame[h.TransportOffset..h.End];
        byte answer = v4 ? (byte)0 : (byte)129;
        var delta = new ChecksumDelta();
        delta.Replace16((ushort)(message[0] << 8), (ushort)(answer << 8));
        message[0] = answer;
        BinaryPrimitives.WriteUInt16BigEndian(message[2..], delta.Apply(BinaryPrimitives.ReadUInt16BigEndian(message[2..])));
        Rewriter.SetLink(frame, MacAddress.Read(frame[MacAddress.SizeBytes..]), ours);
        return Verdict.Send(port);
    }

    private static void Advertise(ref Packet packet, in PacketHeaders h, IpAddr target, IpAddr to, MacAddress toMac, MacAddress ours, uint flags)
    {
        const int messageBytes = SolicitationBytes + OptionBytes;
        packet.SetLength(h.NetworkOffset + IpParser.V6Bytes + messageBytes);
        Span<byte> frame = packet.Bytes;
        Rewriter.SetLink(frame, toMac, ours);
        Span<byte> ip = frame[h.NetworkOffset..];
        BinaryPrimitives.WriteUInt32BigEndian(ip, 0x6000_0000);
        BinaryPrimitives.WriteUInt16BigEndian(ip[4..], messageBytes);
        ip[6] = IpProtocol.IcmpV6;
        ip[7] = 255;
        target.Write(ip[8..]);
        to.Write(ip[24..]);
        Span<byte> message = ip[IpParser.V6Bytes..];
        message[0] = Advertisement;
        message[1] = 0;
        BinaryPrimitives.WriteUInt32BigEndian(message[4..], flags);
        target.Write(message[8..]);
        message[24] = TargetLinkAddress;
        message[25] = 1;
        ours.Write(message[26..]);
        PacketHeaders sealing = h;
        sealing.TransportOffset = (ushort)(h.NetworkOffset + IpParser.V6Bytes);
        sealing.End = (ushort)packet.Length;
        Rewriter.SealIcmp(frame, sealing, target, to);
    }

    private static bool Answers(BalancerTable table, int port, IpAddr address) =>
        table.ServiceAddresses.Contains(address) || table.Routes.IsOurs(port, address);

    private static void Learn(BalancerTable table, IpAddr address, int port, MacAddress mac, long nowMs)
    {
        if (!mac.IsMulticast && mac.Value != 0 && table.Neighbors.TryGetValue((address, port), out Neighbor? neighbor))
        {
            neighbor.Learn(mac, nowMs);
        }
    }

    private static MacAddress? Option(ReadOnlySpan<byte> message, byte type)
    {
        for (int at = SolicitationBytes; at + OptionBytes <= message.Length;)
        {
            int bytes = message[at + 1] * 8;
            if (bytes == 0)
            {
                return null;
            }
            if (message[at] == type)
            {
                return MacAddress.Read(message[(at + 2)..]);
            }
            at += bytes;
        }
        return null;
    }
}
