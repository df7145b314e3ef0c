using System.Buffers.Binary;
using Skep.DataPlane.Packets;

namespace Skep.Bench.DataPlane.Dpdk;

/// <summary>Frames such as testpmd makes.</summary>
internal static class BenchFrames
{
    /// <summary>An IPv4 datagram of UDP between testpmd's usual addresses and ports.</summary>
    public static byte[] Udp(int bytes)
    {
        byte[] frame = new byte[bytes];
        MacAddress.Parse("02:00:00:00:00:00").Write(frame);
        MacAddress.Parse("02:00:00:00:00:01").Write(frame.AsSpan(6));
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(12), EtherType.IPv4);
        Span<byte> ip = frame.AsSpan(14);
        ip[0] = 0x45;
        BinaryPrimitives.WriteUInt16BigEndian(ip[2..], (ushort)ip.Length);
        ip[8] = 64;
        ip[9] = IpProtocol.Udp;
        IpAddr.Parse("198.18.0.1").Write(ip[12..]);
        IpAddr.Parse("198.18.0.2").Write(ip[16..]);
        BinaryPrimitives.WriteUInt16BigEndian(ip[10..], Checksum.Of(ip[..20]));
        BinaryPrimitives.WriteUInt16BigEndian(ip[20..], 9);
        BinaryPrimitives.WriteUInt16BigEndian(ip[22..], 9);
        BinaryPrimitives.WriteUInt16BigEndian(ip[24..], (ushort)(ip.Length - 20));
        return frame;
    }
}
