using Skep.DataPlane.Packets;

namespace Skep.DataPlane.Tests.Packets;

/// <summary>Frames that are almost right, which find more than noise does.</summary>
internal static class Mutations
{
    private static readonly IpAddr A4 = IpAddr.Parse("192.0.2.7"), B4 = IpAddr.Parse("198.51.100.1");
    private static readonly IpAddr A6 = IpAddr.Parse("2001:db8::7"), B6 = IpAddr.Parse("2001:db8:1::1");

    private static readonly byte[][] Seeds =
    [
        Frames.Frame(Frames.Tcp(A4, 40_000, B4, 80, TcpFlags.Syn)),
        Frames.Frame(Frames.Tcp(A4, 40_000, B4, 80, TcpFlags.Ack, new byte[60])),
        Frames.Frame(Frames.Tcp(A6, 40_000, B6, 80, TcpFlags.Ack, new byte[9]), null, null, 12),
        Frames.Frame(Frames.Udp(A4, 40_000, B4, 80, new byte[5]), null, null, 1, 2),
        Frames.Frame(Frames.V4(A4, B4, IpProtocol.Udp, Frames.UdpSegment(A4, 1, B4, 80, new byte[8]), options: new byte[12], id: 5, fragment: 0x2000)),
        Frames.Frame(Frames.V4(A4, B4, IpProtocol.Udp, new byte[16], id: 5, fragment: 2)),
        Frames.Frame(Frames.V6(A6, B6, IpProtocol.HopByHop, [44, 0, 1, 4, 0, 0, 0, 0, 60, 0, 0, 1, 0, 0, 0, 9, 17, 0, 1, 4, 0, 0, 0, 0, .. Frames.UdpSegment(A6, 1, B6, 80)])),
        Frames.Frame(Frames.Icmp(A4, B4, 8, 0, 1, new byte[20])),
        Frames.Frame(Frames.Icmp(A4, B4, 3, 4, 1400, Frames.Tcp(B4, 80, A4, 40_000, TcpFlags.Ack)[..28])),
        Frames.Frame(Frames.Icmp(A6, B6, 2, 0, 1400, Frames.Udp(B6, 80, A6, 40_000, new byte[30]))),
        Frames.Frame(Frames.Icmp(A6, B6, 135, 0, 0, [.. new byte[16], 1, 1, 2, 0, 0, 0, 0, 0xc1])),
        Frames.Arp(1, Frames.Client, A4, default, B4, MacAddress.Broadcast),
    ];

    /// <summary>Writes one mutated frame and returns its length.</summary>
    public static int Fill(Random random, byte[] buffer)
    {
        byte[] seed = Seeds[random.Next(Seeds.Length)];
        seed.CopyTo(buffer, 0);
        int length = seed.Length;
        for (int changes = random.Next(5); changes > 0; changes--)
        {
            // Most of what matters stands in the first bytes.
            int at = random.Next(random.Next(2) == 0 ? Math.Min(length, 70) : length);
            switch (random.Next(6))
            {
                case 0: buffer[at] ^= (byte)(1 << random.Next(8)); break;
                case 1: buffer[at] = (byte)random.Next(256); break;
                case 2: buffer[at] = (byte)(random.Next(2) == 0 ? 0 : 255); break;
                case 3: length = Math.Max(1, random.Next(length + 1)); break;
                case 4:
                    int longer = Math.Min(buffer.Length, length + random.Next(64));
                    random.NextBytes(buffer.AsSpan(length, longer - length));
                    length = longer;
                    break;
                default: buffer[at] += (byte)(random.Next(3) - 1); break;
            }
        }
        return length;
    }
}
