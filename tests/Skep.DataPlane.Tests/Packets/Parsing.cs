using Skep.DataPlane.Packets;

namespace Skep.DataPlane.Tests.Packets;

public sealed class Parsing
{
    private static readonly IpAddr A4 = IpAddr.Parse("192.0.2.7"), B4 = IpAddr.Parse("198.51.100.9");
    private static readonly IpAddr A6 = IpAddr.Parse("2001:db8::7"), B6 = IpAddr.Parse("2001:db8:1::9");

    private static PacketHeaders Parse(byte[] frame)
    {
        Assert.Equal(PacketFault.None, PacketParser.Parse(frame, out PacketHeaders headers));
        return headers;
    }

    private static PacketFault Fault(byte[] frame) => PacketParser.Parse(frame, out _);

    [Fact]
    public void Tcp_over_IPv4_with_options_behind_two_VLAN_tags()
    {
        byte[] tcp = new byte[24];
        Frames.Big16(1234).CopyTo(tcp, 0);
        Frames.Big16(80).CopyTo(tcp, 2);
        tcp[12] = 0x60;
        tcp[13] = (byte)(TcpFlags.Syn | TcpFlags.Ack);
        PacketHeaders h = Parse(Frames.Frame(Frames.V4(A4, B4, IpProtocol.Tcp, tcp, options: [1, 1, 1, 0]), null, null, 100, 0x2007));
        Assert.Equal((2, 0x2007, 22, 46, 70, 70), (h.VlanCount, h.VlanTag, h.NetworkOffset, h.TransportOffset, h.PayloadOffset, h.End));
        Assert.Equal((A4, B4, 1234, 80, TcpFlags.Syn | TcpFlags.Ack), (h.Source, h.Destination, h.SourcePort, h.DestinationPort, h.Flags));
    }

    [Fact]
    public void Udp_over_IPv6_behind_every_extension_header()
    {
        byte[] udp = Frames.UdpSegment(A6, 53, B6, 5353, [1, 2, 3]);
        byte[] payload =
        [
            IpProtocol.DestinationOptions, 0, 1, 4, 0, 0, 0, 0,
            IpProtocol.Routing, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
            IpProtocol.Authentication, 0, 0, 0, 0, 0, 0, 0,
            IpProtocol.Udp, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
            .. udp,
        ];
        PacketHeaders h = Parse(Frames.Frame(Frames.V6(A6, B6, IpProtocol.HopByHop, payload)));
        Assert.Equal((IpProtocol.Udp, 53, 5353, FragmentKind.Whole), (h.Protocol, h.SourcePort, h.DestinationPort, h.Fragment));
        Assert.Equal(14 + 40 + 8 + 16 + 8 + 12, h.TransportOffset);
    }

    [Fact]
    public void Padding_of_a_short_frame_is_no_part_of_the_datagram()
    {
        byte[] frame = [.. Frames.Frame(Frames.Udp(A4, 1, B4, 2, [9])), .. new byte[17]];
        Assert.Equal(14 + 20 + 9, Parse(frame).End);
    }

    [Fact]
    public void Fragments_of_both_families()
    {
        byte[] udp = Frames.UdpSegment(A4, 1, B4, 2, new byte[24]);
        PacketHeaders first = Parse(Frames.Frame(Frames.V4(A4, B4, IpProtocol.Udp, udp[..16], id: 77, fragment: 0x2000)));
        PacketHeaders later = Parse(Frames.Frame(Frames.V4(A4, B4, IpProtocol.Udp, udp[16..], id: 77, fragment: 2)));
        Assert.Equal((FragmentKind.First, 77u, 2), (first.Fragment, first.FragmentId, first.DestinationPort));
        Assert.Equal((FragmentKind.Later, 77u, 0), (later.Fragment, later.FragmentId, later.DestinationPort));

        PacketHeaders first6 = Parse(Frames.Frame(Frames.V6(A6, B6, IpProtocol.Fragment, [IpProtocol.Udp, 0, 0, 1, 0, 0, 1, 2, .. udp[..16]])));
        PacketHeaders later6 = Parse(Frames.Frame(Frames.V6(A6, B6, IpProtocol.Fragment, [IpProtocol.Udp, 0, 0, 0x10, 0, 0, 1, 2, .. udp[16..]])));
        PacketHeaders atomic = Parse(Frames.Frame(Frames.V6(A6, B6, IpProtocol.Fragment, [IpProtocol.Udp, 0, 0, 0, 0, 0, 1, 2, .. udp])));
        Assert.Equal((FragmentKind.First, 258u, 2), (first6.Fragment, first6.FragmentId, first6.DestinationPort));
        Assert.Equal((FragmentKind.Later, 258u), (later6.Fragment, later6.FragmentId));
        Assert.Equal((FragmentKind.Whole, 2), (atomic.Fragment, atomic.DestinationPort));
    }

    [Fact]
    public void Arp_and_both_ICMPs()
    {
        PacketHeaders arp = Parse(Frames.Arp(1, Frames.Client, A4, default, B4, MacAddress.Broadcast));
        Assert.Equal((NetworkKind.Arp, 1, A4, B4), (arp.Network, arp.MessageType, arp.Source, arp.Destination));
        PacketHeaders echo = Parse(Frames.Frame(Frames.Icmp(A4, B4, 8, 0, 1, [1])));
        Assert.Equal((IpProtocol.Icmp, 8), (echo.Protocol, echo.MessageType));
        PacketHeaders tooBig = Parse(Frames.Frame(Frames.Icmp(A6, B6, 2, 0, 1280, [1])));
        Assert.Equal((IpProtocol.IcmpV6, 2), (tooBig.Protocol, tooBig.MessageType));
    }

    [Fact]
    public void What_is_neither_ARP_nor_IP_is_left_alone() =>
        Assert.Equal(NetworkKind.Other, Parse(Frames.Ethernet(Frames.Client, Frames.Us, 0x88CC, [1, 2, 3])).Network);

    [Fact]
    public void Lengths_that_lie_are_refused_by_name()
    {
        byte[] tcp4 = Frames.Frame(Frames.Tcp(A4, 1, B4, 2, TcpFlags.Syn));
        byte[] udp6 = Frames.Frame(Frames.Udp(A6, 1, B6, 2));
        Assert.Equal(PacketFault.FrameLength, Fault(tcp4[..13]));
        Assert.Equal(PacketFault.FrameLength, Fault(new byte[70_000]));
        Assert.Equal(PacketFault.IpHeaderLength, Fault(tcp4[..30]));
        Assert.Equal(PacketFault.IpHeaderLength, Fault(With(tcp4, 14, 0x44)));
        Assert.Equal(PacketFault.IpHeaderLength, Fault(With(tcp4[..40], 14, 0x4F)));
        Assert.Equal(PacketFault.IpVersion, Fault(With(tcp4, 14, 0x65)));
        Assert.Equal(PacketFault.IpTotalLength, Fault(With(tcp4, 17, 41)));
        Assert.Equal(PacketFault.IpTotalLength, Fault(With(tcp4, 17, 19)));
        Assert.Equal(PacketFault.Tcp, Fault(With(tcp4, 46, 0x40)));
        Assert.Equal(PacketFault.Tcp, Fault(With(tcp4, 46, 0x60)));
        Assert.Equal(PacketFault.Tcp, Fault(With(tcp4, 17, 39)));
        Assert.Equal(PacketFault.FragmentReach, Fault(With(With(tcp4, 20, 0x1F), 21, 0xFF)));
        Assert.Equal(PacketFault.IpAddress, Fault(With(tcp4, 26, 224)));
        Assert.Equal(PacketFault.IpTotalLength, Fault(With(udp6, 19, 9)));
        Assert.Equal(PacketFault.Udp, Fault(With(udp6, 59, 9)));
        Assert.Equal(PacketFault.Udp, Fault(With(udp6, 59, 7)));
        Assert.Equal(PacketFault.ExtensionHeaders, Fault(With(With(udp6, 20, IpProtocol.Routing), 55, 1)));
        Assert.Equal(PacketFault.TooManyVlanTags, Fault(Frames.Frame(Frames.Udp(A4, 1, B4, 2), null, null, 1, 2, 3)));
        Assert.Equal(PacketFault.Arp, Fault(Frames.Arp(1, Frames.Client, A4, default, B4, MacAddress.Broadcast)[..41]));
        Assert.Equal(PacketFault.Icmp, Fault(Frames.Frame(Frames.V4(A4, B4, IpProtocol.Icmp, new byte[7]))));
        byte[] nine = [.. Enumerable.Range(0, 9).SelectMany(_ => new byte[] { IpProtocol.DestinationOptions, 0, 0, 0, 0, 0, 0, 0 })];
        Assert.Equal(PacketFault.ExtensionHeaders, Fault(Frames.Frame(Frames.V6(A6, B6, IpProtocol.DestinationOptions, nine))));
    }

    [Fact]
    public void Addresses_are_read_written_and_shown_as_they_are()
    {
        foreach (string text in (string[])["192.0.2.7", "0.0.0.0", "2001:db8::1", "::1", "fe80::a:b:c:d"])
        {
            Assert.Equal(text, IpAddr.Parse(text).ToString());
        }
        Assert.Equal("02:00:5e:10:00:ff", MacAddress.Parse("02:00:5E:10:00:FF").ToString());
        Assert.Throws<FormatException>(() => IpAddr.Parse("192.0.2"[..5] + "x"));
        Assert.Throws<FormatException>(() => MacAddress.Parse("02:00:5e:10:00"));
    }

    private static byte[] With(byte[] frame, int at, byte value)
    {
        byte[] copy = [.. frame];
        copy[at] = value;
        return copy;
    }
}
