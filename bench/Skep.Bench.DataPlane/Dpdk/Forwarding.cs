using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Skep.DataPlane.Buffers;
using Skep.DataPlane.Packets;

namespace Skep.Bench.DataPlane.Dpdk;

/// <summary>What is done to a burst before it is sent on. A value type, so that the loop is compiled for each.</summary>
internal interface IForwarding
{
    void Process(Span<Packet> burst);
}

/// <summary>testpmd's <c>io</c>: nothing.</summary>
internal readonly struct Io : IForwarding
{
    public void Process(Span<Packet> burst)
    {
    }
}

/// <summary>testpmd's <c>macswap</c>: source and destination address change places.</summary>
internal readonly struct MacSwap : IForwarding
{
    private static readonly Vector128<byte> s_order = Vector128.Create((byte)6, 7, 8, 9, 10, 11, 0, 1, 2, 3, 4, 5, 12, 13, 14, 15);

    public void Process(Span<Packet> burst)
    {
        foreach (ref readonly Packet packet in burst)
        {
            Swap(packet.Bytes);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Swap(Span<byte> frame)
    {
        if (frame.Length >= Vector128<byte>.Count)
        {
            ref byte first = ref MemoryMarshal.GetReference(frame);
            Vector128.Shuffle(Vector128.LoadUnsafe(ref first), s_order).StoreUnsafe(ref first);
        }
    }
}

/// <summary>testpmd's <c>5tswap</c>: Ethernet addresses, IP addresses and, with TCP and UDP, ports change places.</summary>
internal readonly struct FiveTupleSwap : IForwarding
{
    private const int EthernetBytes = 14, TagBytes = 4, V4Bytes = 20, V6Bytes = 40, PortBytes = 4;

    public void Process(Span<Packet> burst)
    {
        foreach (ref readonly Packet packet in burst)
        {
            Span<byte> frame = packet.Bytes;
            MacSwap.Swap(frame);
            Swap(frame);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Swap(Span<byte> frame)
    {
        int at = EthernetBytes;
        while (frame.Length >= at + V4Bytes && BinaryPrimitives.ReadUInt16BigEndian(frame[(at - 2)..]) is EtherType.Vlan or EtherType.ServiceVlan)
        {
            at += TagBytes;
        }
        if (frame.Length < at + V4Bytes)
        {
            return;
        }
        byte protocol;
        Span<byte> ip = frame[at..];
        switch (BinaryPrimitives.ReadUInt16BigEndian(frame[(at - 2)..]))
        {
            case EtherType.IPv4:
                ref ulong both = ref Unsafe.As<byte, ulong>(ref ip[12]);
                both = ulong.RotateLeft(both, 32);
                protocol = ip[9];
                ip = ip[Math.Min((ip[0] & 0xF) * 4, ip.Length)..];
                break;
            case EtherType.IPv6 when ip.Length >= V6Bytes:
                Vector128<byte> source = Vector128.Create<byte>(ip[8..24]);
                ip[24..40].CopyTo(ip[8..24]);
                source.CopyTo(ip[24..40]);
                protocol = ip[6];
                ip = ip[V6Bytes..];
                break;
            default:
                return;
        }
        if (protocol is IpProtocol.Tcp or IpProtocol.Udp && ip.Length >= PortBytes)
        {
            ref uint ports = ref Unsafe.As<byte, uint>(ref ip[0]);
            ports = uint.RotateLeft(ports, 16);
        }
    }
}
