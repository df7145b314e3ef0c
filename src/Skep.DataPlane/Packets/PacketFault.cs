namespace Skep.DataPlane.Packets;

/// <summary>Why a frame is refused.</summary>
public enum PacketFault : byte
{
    /// <summary>It is not.</summary>
    None,

    /// <summary>The frame ends within its Ethernet header or VLAN tags, or is longer than 65,535 bytes.</summary>
    FrameLength,

    /// <summary>More than two VLAN tags.</summary>
    TooManyVlanTags,

    /// <summary>ARP that is short, or not for IPv4 over Ethernet.</summary>
    Arp,

    /// <summary>The version in the IP header is not what the EtherType says.</summary>
    IpVersion,

    /// <summary>The IP header's length is under its least or past the frame's end.</summary>
    IpHeaderLength,

    /// <summary>The datagram's length is under its header's or past the frame's end.</summary>
    IpTotalLength,

    /// <summary>An address that no host may send from, or an IPv4-mapped one in IPv6.</summary>
    IpAddress,

    /// <summary>A fragment that would reach past 65,535 bytes.</summary>
    FragmentReach,

    /// <summary>An IPv6 extension header that is cut off, out of place, or one too many.</summary>
    ExtensionHeaders,

    /// <summary>A TCP header that is cut off, or whose length is under 20 bytes or past the end.</summary>
    Tcp,

    /// <summary>A UDP header that is cut off, or whose length is under 8 bytes or past the end.</summary>
    Udp,

    /// <summary>An ICMP message that is cut off.</summary>
    Icmp,
}
