namespace Skep.DataPlane.Packets;

/// <summary>EtherType numbers (IEEE 802 numbers at IANA).</summary>
public static class EtherType
{
    /// <summary>IPv4.</summary>
    public const ushort IPv4 = 0x0800;

    /// <summary>ARP (RFC 826).</summary>
    public const ushort Arp = 0x0806;

    /// <summary>A VLAN tag follows (802.1Q).</summary>
    public const ushort Vlan = 0x8100;

    /// <summary>An outer VLAN tag follows (802.1ad).</summary>
    public const ushort ServiceVlan = 0x88A8;

    /// <summary>IPv6.</summary>
    public const ushort IPv6 = 0x86DD;
}

/// <summary>Protocol numbers of IP (IANA), and IPv6's extension headers.</summary>
public static class IpProtocol
{
    /// <summary>IPv6 hop-by-hop options.</summary>
    public const byte HopByHop = 0;

    /// <summary>ICMP for IPv4.</summary>
    public const byte Icmp = 1;

    /// <summary>TCP.</summary>
    public const byte Tcp = 6;

    /// <summary>UDP.</summary>
    public const byte Udp = 17;

    /// <summary>IPv6 routing header.</summary>
    public const byte Routing = 43;

    /// <summary>IPv6 fragment header.</summary>
    public const byte Fragment = 44;

    /// <summary>Authentication header.</summary>
    public const byte Authentication = 51;

    /// <summary>ICMP for IPv6.</summary>
    public const byte IcmpV6 = 58;

    /// <summary>IPv6 destination options.</summary>
    public const byte DestinationOptions = 60;
}

/// <summary>Flags of a TCP segment (RFC 9293, 3.1).</summary>
[Flags]
public enum TcpFlags : byte
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>The sender has no more to say.</summary>
    Fin = 0x01,

    /// <summary>Opens a connection.</summary>
    Syn = 0x02,

    /// <summary>Breaks a connection off.</summary>
    Rst = 0x04,

    /// <summary>Hand over now.</summary>
    Psh = 0x08,

    /// <summary>The acknowledgement number counts.</summary>
    Ack = 0x10,

    /// <summary>The window was made smaller (RFC 3168).</summary>
    Cwr = 0x80,
}
