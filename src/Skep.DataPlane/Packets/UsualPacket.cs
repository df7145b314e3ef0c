using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Skep.DataPlane.Packets;

/// <summary>
/// What most packets are: TCP or UDP, whole, over IPv4 without options or tags. One comparison of lengths covers all that is read.
/// Everything else, and everything doubtful, is left to the parser that looks at each step; a test holds both to one answer.
/// </summary>
internal static class UsualPacket
{
    private const int TransportOffset = PacketParser.EthernetBytes + IpParser.V4Bytes;
    private const int LeastBytes = TransportOffset + TransportParser.TcpBytes;

    /// <summary>Reads the headers if the packet is usual.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryParse(ReadOnlySpan<byte> frame, out PacketHeaders h)
    {
        Unsafe.SkipInit(out h);
        if (frame.Length is < LeastBytes or > ushort.MaxValue)
        {
            return false;
        }
        ref byte start = ref MemoryMarshal.GetReference(frame);
        // EtherType, version and header length: 08 00 45.
        if ((Load32(ref start, 12) >> 8) != 0x080045)
        {
            return false;
        }
        uint lengthAndId = Load32(ref start, 16);
        uint fragmentTtlProtocol = Load32(ref start, 20);
        int total = (int)(lengthAndId >> 16);
        uint source = Load32(ref start, 26);
        // Whole: no more fragments and no offset. The other flag, do not fragment, is the sender's business.
        if (total < LeastBytes - PacketParser.EthernetBytes || total > frame.Length - PacketParser.EthernetBytes
            || (fragmentTtlProtocol & 0x3FFF_0000) != 0 || source >= 0xE000_0000)
        {
            return false;
        }
        byte protocol = (byte)fragmentTtlProtocol;
        int transportBytes = total - IpParser.V4Bytes;
        int headerBytes;
        TcpFlags flags;
        if (protocol == IpProtocol.Tcp)
        {
            headerBytes = (Unsafe.Add(ref start, TransportOffset + 12) >> 4) * 4;
            flags = (TcpFlags)Unsafe.Add(ref start, TransportOffset + 13);
            if (headerBytes < TransportParser.TcpBytes || headerBytes > transportBytes)
            {
                return false;
            }
        }
        else if (protocol == IpProtocol.Udp)
        {
            headerBytes = TransportParser.UdpBytes;
            flags = TcpFlags.None;
            uint length = Load32(ref start, TransportOffset + 4) >> 16;
            if (length < TransportParser.UdpBytes || length > transportBytes)
            {
                return false;
            }
        }
        else
        {
            return false;
        }
        uint ports = Load32(ref start, TransportOffset);
        h.Source = IpAddr.V4(source);
        h.Destination = IpAddr.V4(Load32(ref start, 30));
        h.FragmentId = 0;
        h.NetworkOffset = PacketParser.EthernetBytes;
        h.TransportOffset = TransportOffset;
        h.PayloadOffset = (ushort)(TransportOffset + headerBytes);
        h.End = (ushort)(PacketParser.EthernetBytes + total);
        h.EtherType = EtherType.IPv4;
        h.VlanTag = 0;
        h.SourcePort = (ushort)(ports >> 16);
        h.DestinationPort = (ushort)ports;
        h.VlanCount = 0;
        h.Network = NetworkKind.IPv4;
        h.Protocol = protocol;
        h.Ttl = (byte)(fragmentTtlProtocol >> 8);
        h.Fragment = FragmentKind.Whole;
        h.Flags = flags;
        h.MessageType = 0;
        h.MessageCode = 0;
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Load32(ref byte start, int offset)
    {
        uint value = Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref start, offset));
        return BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(value) : value;
    }
}
