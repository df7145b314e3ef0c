using System.Buffers.Binary;
using CsCheck;
using Skep.DataPlane.Packets;
using Skep.DataPlane.Ports.AfXdp;
using Skep.DataPlane.Tests.Packets;

namespace Skep.DataPlane.Tests.Ports;

public sealed class AfXdpChecksums
{
    private static readonly IpAddr A4 = IpAddr.Parse("192.0.2.7"), B4 = IpAddr.Parse("198.51.100.9");
    private static readonly IpAddr A6 = IpAddr.Parse("2001:db8::7"), B6 = IpAddr.Parse("2001:db8:1::9");

    [Fact]
    public void A_partial_checksum_is_completed_and_a_right_one_is_left_alone() =>
        Gen.Select(Gen.Byte.Array[0, 1400], Gen.Bool, Gen.Bool, Gen.Bool, Gen.UShort).Sample((payload, v6, tcp, tagged, port) =>
        {
            (IpAddr a, IpAddr b) = v6 ? (A6, B6) : (A4, B4);
            byte[] ip = tcp ? Frames.Tcp(a, port, b, 2, TcpFlags.Ack, payload) : Frames.Udp(a, port, b, 2, payload);
            byte[] right = tagged ? Frames.Frame(ip, null, null, 5) : Frames.Frame(ip);
            int start = Rig.Headers(right).TransportOffset, at = start + (tcp ? 16 : 6);
            byte[] same = [.. right];
            Assert.False(PartialChecksum.TryComplete(same));
            Assert.Equal(right, same);
            ushort pseudo = (ushort)~Checksum.Finish(Checksum.PseudoHeader(a, b, tcp ? IpProtocol.Tcp : IpProtocol.Udp, right.Length - start));
            BinaryPrimitives.WriteUInt16BigEndian(same.AsSpan(at), pseudo);
            Assert.Equal(BinaryPrimitives.ReadUInt16BigEndian(right.AsSpan(at)) != pseudo, PartialChecksum.TryComplete(same));
            Assert.Equal(right, same);
        }, iter: 2000);

    [Fact]
    public void No_frame_makes_the_completion_throw_or_touch_anything_but_the_checksum()
    {
        var random = new Random(11);
        byte[] frame = new byte[4096], before = new byte[4096];
        for (int round = 0; round < Fuzzing.Rounds / 10; round++)
        {
            int length = Mutations.Fill(random, frame);
            frame.CopyTo(before, 0);
            if (!PartialChecksum.TryComplete(frame.AsSpan(0, length)))
            {
                Assert.True(frame.AsSpan().SequenceEqual(before));
                continue;
            }
            int at = frame.AsSpan().CommonPrefixLength(before);
            Assert.True(frame.AsSpan(at + 2).SequenceEqual(before.AsSpan(at + 2)));
        }
    }
}
