using System.Buffers.Binary;
using Skep.DataPlane.Packets;

namespace Skep.DataPlane.Tests;

/// <summary>Frames made by hand, byte by byte, with checksums from the slow and obvious way.</summary>
internal static class Frames
{
    public static readonly MacAddress Client = MacAddress.Parse("02:00:00:00:00:c1");
    public static readonly MacAddress Us = MacAddress.Parse("02:00:00:00:00:01");

    public static byte[] Ethernet(MacAddress source, MacAddress destination, ushort type, byte[] payload, params ushort[] vlans)
    {
        var bytes = new List<byte>();
        byte[] mac = new byte[6];
        destination.Write(mac);
        bytes.AddRange(mac);
        source.Write(mac);
        bytes.AddRange(mac);
        for (int i = 0; i < vlans.Length; i++)
        {
            bytes.AddRange(Big16(vlans.Length == 2 && i == 0 ? EtherType.ServiceVlan : EtherType.Vlan));
            bytes.AddRange(Big16(vlans[i]));
        }
        bytes.AddRange(Big16(type));
        bytes.AddRange(payload);
        return [.. bytes];
    }

    /// <summary>An Ethernet frame around an IP packet of either family.</summary>
    public static byte[] Frame(byte[] ip, MacAddress? source = null, MacAddress? destination = null, params ushort[] vlans) =>
        Ethernet(source ?? Client, destination ?? Us, ip[0] >> 4 == 4 ? EtherType.IPv4 : EtherType.IPv6, ip, vlans);

    public static byte[] V4(IpAddr source, IpAddr destination, byte protocol, byte[] payload, byte ttl = 64, byte[]? options = null,
        ushort id = 0, ushort fragment = 0)
    {
        int header = 20 + (options?.Length ?? 0);
        byte[] ip = new byte[header + payload.Length];
        ip[0] = (byte)(0x40 | header / 4);
        Big16((ushort)ip.Length).CopyTo(ip, 2);
        Big16(id).CopyTo(ip, 4);
        Big16(fragment).CopyTo(ip, 6);
        ip[8] = ttl;
        ip[9] = protocol;
        source.Write(ip.AsSpan(12));
        destination.Write(ip.AsSpan(16));
        options?.CopyTo(ip, 20);
        Big16(NaiveChecksum.Of(ip.AsSpan(0, header))).CopyTo(ip, 10);
        payload.CopyTo(ip, header);
        return ip;
    }

    public static byte[] V6(IpAddr source, IpAddr destination, byte protocol, byte[] payload, byte ttl = 64)
    {
        byte[] ip = new byte[40 + payload.Length];
        ip[0] = 0x60;
        Big16((ushort)payload.Length).CopyTo(ip, 4);
        ip[6] = protocol;
        ip[7] = ttl;
        source.Write(ip.AsSpan(8));
        destination.Write(ip.AsSpan(24));
        payload.CopyTo(ip, 40);
        return ip;
    }

    public static byte[] Ip(IpAddr source, IpAddr destination, byte protocol, byte[] payload, byte ttl = 64) =>
        source.IsV4 ? V4(source, destination, protocol, payload, ttl) : V6(source, destination, protocol, payload, ttl);

    /// <summary>A TCP segment in an IP packet of the addresses' family.</summary>
    public static byte[] Tcp(IpAddr source, ushort sourcePort, IpAddr destination, ushort destinationPort, TcpFlags flags, byte[]? payload = null, byte ttl = 64)
    {
        byte[] tcp = new byte[20 + (payload?.Length ?? 0)];
        Big16(sourcePort).CopyTo(tcp, 0);
        Big16(destinationPort).CopyTo(tcp, 2);
        tcp[12] = 0x50;
        tcp[13] = (byte)flags;
        payload?.CopyTo(tcp, 20);
        Big16(NaiveChecksum.Transport(source, destination, IpProtocol.Tcp, tcp)).CopyTo(tcp, 16);
        return Ip(source, destination, IpProtocol.Tcp, tcp, ttl);
    }

    public static byte[] UdpSegment(IpAddr source, ushort sourcePort, IpAddr destination, ushort destinationPort, byte[]? payload = null)
    {
        byte[] udp = new byte[8 + (payload?.Length ?? 0)];
        Big16(sourcePort).CopyTo(udp, 0);
        Big16(destinationPort).CopyTo(udp, 2);
        Big16((ushort)udp.Length).CopyTo(udp, 4);
        payload?.CopyTo(udp, 8);
        ushort checksum = NaiveChecksum.Transport(source, destination, IpProtocol.Udp, udp);
        Big16(checksum == 0 ? (ushort)0xFFFF : checksum).CopyTo(udp, 6);
        return udp;
    }

    public static byte[] Udp(IpAddr source, ushort sourcePort, IpAddr destination, ushort destinationPort, byte[]? payload = null) =>
        Ip(source, destination, IpProtocol.Udp, UdpSegment(source, sourcePort, destination, destinationPort, payload));

    public static byte[] Icmp(IpAddr source, IpAddr destination, byte type, byte code, uint rest, byte[] payload)
    {
        byte[] icmp = new byte[8 + payload.Length];
        icmp[0] = type;
        icmp[1] = code;
        BinaryPrimitives.WriteUInt32BigEndian(icmp.AsSpan(4), rest);
        payload.CopyTo(icmp, 8);
        bool v4 = source.IsV4;
        byte protocol = v4 ? IpProtocol.Icmp : IpProtocol.IcmpV6;
        Big16(v4 ? NaiveChecksum.Of(icmp) : NaiveChecksum.Transport(source, destination, protocol, icmp)).CopyTo(icmp, 2);
        return Ip(source, destination, protocol, icmp, ttl: 255);
    }

    public static byte[] Arp(ushort operation, MacAddress senderMac, IpAddr sender, MacAddress targetMac, IpAddr target, MacAddress to)
    {
        byte[] arp = new byte[28];
        Convert.FromHexString("000108000604").CopyTo(arp, 0);
        Big16(operation).CopyTo(arp, 6);
        senderMac.Write(arp.AsSpan(8));
        sender.Write(arp.AsSpan(14));
        targetMac.Write(arp.AsSpan(18));
        target.Write(arp.AsSpan(24));
        return Ethernet(senderMac, to, EtherType.Arp, arp);
    }

    public static byte[] Big16(ushort value) => [(byte)(value >> 8), (byte)value];

    /// <summary>Holds every checksum in a frame to the slow way.</summary>
    public static void AssertChecksums(ReadOnlySpan<byte> frame)
    {
        Assert.Equal(PacketFault.None, PacketParser.Parse(frame, out PacketHeaders h));
        if (h.Network == NetworkKind.IPv4)
        {
            Assert.Equal(0, NaiveChecksum.Of(frame[h.NetworkOffset..Math.Min(h.TransportOffset, (int)h.End)]));
        }
        if (h.Fragment != FragmentKind.Whole)
        {
            return;
        }
        ReadOnlySpan<byte> transport = frame[h.TransportOffset..h.End];
        switch (h.Protocol)
        {
            case IpProtocol.Icmp:
                Assert.Equal(0, NaiveChecksum.Of(transport));
                break;
            case IpProtocol.Tcp or IpProtocol.Udp or IpProtocol.IcmpV6:
                Assert.Equal(0, NaiveChecksum.Transport(h.Source, h.Destination, h.Protocol, transport));
                break;
        }
    }
}
