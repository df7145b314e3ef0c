using Skep.DataPlane.Packets;

namespace Skep.DataPlane.Capture;

/// <summary>Which frames are wanted; what is null is not asked about.</summary>
/// <param name="Host">Source or destination address.</param>
/// <param name="Port">Source or destination port.</param>
/// <param name="Protocol">IP protocol; see <see cref="IpProtocol"/>. ICMP stands for both versions of it.</param>
/// <param name="IsArp">Only ARP.</param>
/// <param name="Interface">The worker's port that a frame came in or leaves by.</param>
internal sealed record CaptureFilter(IpAddr? Host = null, ushort? Port = null, byte? Protocol = null, bool IsArp = false, int? Interface = null)
{
    /// <summary>Whether a frame is wanted. One whose headers lie is wanted only where nothing is asked of headers.</summary>
    public bool Wants(ReadOnlySpan<byte> frame, int port)
    {
        if (Interface is { } one && one != port)
        {
            return false;
        }
        if (Host is null && Port is null && Protocol is null && !IsArp)
        {
            return true;
        }
        if (PacketParser.Parse(frame, out PacketHeaders h) != PacketFault.None || h.Network == NetworkKind.Other)
        {
            return false;
        }
        return (!IsArp || h.Network == NetworkKind.Arp)
            && (Host is not { } host || h.Source == host || h.Destination == host)
            && (Port is not { } number || h.SourcePort == number || h.DestinationPort == number)
            && (Protocol is not { } protocol || h.Protocol == protocol || (protocol == IpProtocol.Icmp && h.Protocol == IpProtocol.IcmpV6));
    }
}
