using System.Runtime.InteropServices;

namespace Skep.DataPlane.Packets;

/// <summary>What follows the Ethernet header.</summary>
public enum NetworkKind : byte
{
    /// <summary>Something that this parser leaves to others.</summary>
    Other,

    /// <summary>ARP for IPv4 over Ethernet.</summary>
    Arp,

    /// <summary>IPv4.</summary>
    IPv4,

    /// <summary>IPv6.</summary>
    IPv6,
}

/// <summary>Which part of a datagram a packet carries.</summary>
public enum FragmentKind : byte
{
    /// <summary>The whole.</summary>
    Whole,

    /// <summary>The first part: it has the transport header.</summary>
    First,

    /// <summary>A later part: bytes without a transport header.</summary>
    Later,
}

/// <summary>
/// Where the headers of a frame begin and what is most asked of them. Offsets count from the frame's first byte and are checked:
/// each lies within the frame, and so does the header that begins there.
/// </summary>
[StructLayout(LayoutKind.Auto)]
public struct PacketHeaders
{
    /// <summary>Source address; of ARP, the sender's.</summary>
    public IpAddr Source;

    /// <summary>Destination address; of ARP, the one asked for.</summary>
    public IpAddr Destination;

    /// <summary>Identification that a datagram's fragments share; 0 where whole.</summary>
    public uint FragmentId;

    /// <summary>Start of the IP or ARP header.</summary>
    public ushort NetworkOffset;

    /// <summary>Start of the transport header, or of a later fragment's bytes; where there is none, equal to <see cref="End"/>.</summary>
    public ushort TransportOffset;

    /// <summary>Start of what follows the transport header.</summary>
    public ushort PayloadOffset;

    /// <summary>End of the IP datagram: Ethernet's padding comes after it.</summary>
    public ushort End;

    /// <summary>Last EtherType, after VLAN tags.</summary>
    public ushort EtherType;

    /// <summary>Innermost VLAN's tag (priority and id); counts only where <see cref="VlanCount"/> is not 0.</summary>
    public ushort VlanTag;

    /// <summary>Source port of TCP and UDP; else 0.</summary>
    public ushort SourcePort;

    /// <summary>Destination port of TCP and UDP; else 0.</summary>
    public ushort DestinationPort;

    /// <summary>VLAN tags in the frame: 0 to 2.</summary>
    public byte VlanCount;

    /// <summary>What follows Ethernet.</summary>
    public NetworkKind Network;

    /// <summary>Protocol after the IP header and IPv6's extension headers.</summary>
    public byte Protocol;

    /// <summary>Time to live, or hop limit.</summary>
    public byte Ttl;

    /// <summary>Part of a datagram.</summary>
    public FragmentKind Fragment;

    /// <summary>Flags of TCP; else none.</summary>
    public TcpFlags Flags;

    /// <summary>Type of ICMP and ICMPv6; operation of ARP; else 0.</summary>
    public byte MessageType;

    /// <summary>Code of ICMP and ICMPv6; else 0.</summary>
    public byte MessageCode;
}
