using System.Buffers.Binary;
using CsCheck;
using Skep.DataPlane.Buffers;
using Skep.DataPlane.Packets;
using Skep.DataPlane.Ports.AfPacket;
using Skep.DataPlane.Tests.Packets;

namespace Skep.DataPlane.Tests.Ports;

public sealed class Offloads
{
    private static readonly IpAddr A4 = IpAddr.Parse("192.0.2.7"), B4 = IpAddr.Parse("198.51.100.9");
    private static readonly IpAddr A6 = IpAddr.Parse("2001:db8::7"), B6 = IpAddr.Parse("2001:db8:1::9");

    private static List<byte[]> Cut(byte[] frame, OffloadHeader offload, PacketPool pool)
    {
        var large = new LargeFrame();
        Assert.True(large.TryBegin(frame, offload, pool.BufferBytes));
        var pieces = new List<byte[]>();
        while (large.IsOpen)
        {
            Assert.True(large.TryNext(frame, pool, out Packet packet));
            pieces.Add(packet.Bytes.ToArray());
            pool.Return(packet);
        }
        return pieces;
    }

    [Fact]
    public void A_large_tcp_frame_is_cut_into_segments_that_are_the_whole_again() =>
        Gen.Select(Gen.Byte.Array[1, 20_000], Gen.Int[1, 1448], Gen.Bool, Gen.UInt).Sample((payload, size, v6, sequence) =>
        {
            using var pool = new PacketPool(1);
            byte[] frame = Frames.Frame(Frames.Tcp(v6 ? A6 : A4, 1, v6 ? B6 : B4, 2, TcpFlags.Ack | TcpFlags.Psh | TcpFlags.Fin | TcpFlags.Cwr, payload));
            int transport = Rig.Headers(frame).TransportOffset;
            BinaryPrimitives.WriteUInt32BigEndian(frame.AsSpan(transport + 4), sequence);
            var pieces = Cut(frame, new OffloadHeader(1, (byte)((v6 ? OffloadHeader.KindTcpV6 : OffloadHeader.KindTcpV4) | OffloadHeader.KindEcn), (ushort)size, 0, 0), pool);
            var whole = new List<byte>();
            for (int i = 0; i < pieces.Count; i++)
            {
                Frames.AssertChecksums(pieces[i]);
                PacketHeaders h = Rig.Headers(pieces[i]);
                Assert.Equal(sequence + (uint)whole.Count, BinaryPrimitives.ReadUInt32BigEndian(pieces[i].AsSpan(transport + 4)));
                TcpFlags last = i == pieces.Count - 1 ? TcpFlags.Psh | TcpFlags.Fin : TcpFlags.None;
                Assert.Equal(TcpFlags.Ack | last | (i == 0 ? TcpFlags.Cwr : TcpFlags.None), h.Flags);
                whole.AddRange(pieces[i][h.PayloadOffset..h.End]);
            }
            Assert.Equal((payload.Length + size - 1) / size, pieces.Count);
            Assert.Equal(payload, whole);
        }, iter: 200);

    [Fact]
    public void A_large_udp_frame_is_cut_into_datagrams()
    {
        using var pool = new PacketPool(1);
        var pieces = Cut(Frames.Frame(Frames.Udp(A6, 1, B6, 2, new byte[2500])), new OffloadHeader(1, OffloadHeader.KindUdp, 1000, 0, 0), pool);
        Assert.Equal([1000, 1000, 500], pieces.Select(p => p.Length - 62));
        Assert.All(pieces, p => Frames.AssertChecksums(p));
    }

    [Fact]
    public void A_piece_waits_for_a_buffer()
    {
        using var pool = new PacketPool(1);
        byte[] frame = Frames.Frame(Frames.Tcp(A4, 1, B4, 2, TcpFlags.Ack, new byte[200]));
        var large = new LargeFrame();
        Assert.True(large.TryBegin(frame, new OffloadHeader(1, OffloadHeader.KindTcpV4, 100, 0, 0), pool.BufferBytes));
        Assert.True(large.TryNext(frame, pool, out Packet first));
        Assert.False(large.TryNext(frame, pool, out _));
        pool.Return(first);
        Assert.True(large.TryNext(frame, pool, out _));
        Assert.False(large.IsOpen);
    }

    [Fact]
    public void A_partial_checksum_is_completed() =>
        Gen.Select(Gen.Byte.Array[0, 1400], Gen.Bool, Gen.Bool).Sample((payload, v6, tcp) =>
        {
            (IpAddr a, IpAddr b) = v6 ? (A6, B6) : (A4, B4);
            byte[] right = Frames.Frame(tcp ? Frames.Tcp(a, 1, b, 2, TcpFlags.Ack, payload) : Frames.Udp(a, 1, b, 2, payload));
            int start = Rig.Headers(right).TransportOffset, at = tcp ? 16 : 6;
            byte[] partial = [.. right];
            // The kernel leaves the pseudo header's sum there, not turned over.
            ushort pseudo = (ushort)~Checksum.Finish(Checksum.PseudoHeader(a, b, tcp ? IpProtocol.Tcp : IpProtocol.Udp, right.Length - start));
            BinaryPrimitives.WriteUInt16BigEndian(partial.AsSpan(start + at), pseudo);
            Assert.True(ChecksumCompletion.TryComplete(partial, new OffloadHeader(1, 0, 0, (ushort)start, (ushort)at)));
            Assert.Equal(right, partial);
        }, iter: 300);

    [Fact]
    public void What_is_described_wrongly_is_refused()
    {
        byte[] frame = Frames.Frame(Frames.Tcp(A4, 1, B4, 2, TcpFlags.Ack, new byte[200]));
        Assert.False(ChecksumCompletion.TryComplete(frame, new OffloadHeader(1, 0, 0, (ushort)frame.Length, 0)));
        Assert.False(ChecksumCompletion.TryComplete(frame, new OffloadHeader(1, 0, 0, 65_535, 65_535)));
        Assert.False(new LargeFrame().TryBegin(frame, new OffloadHeader(1, OffloadHeader.KindTcpV6, 100, 0, 0), 2048));
        Assert.False(new LargeFrame().TryBegin(frame, new OffloadHeader(1, OffloadHeader.KindTcpV4, 0, 0, 0), 2048));
        Assert.False(new LargeFrame().TryBegin(frame, new OffloadHeader(1, OffloadHeader.KindTcpV4, 2048, 0, 0), 2048));
        Assert.False(new LargeFrame().TryBegin(frame, new OffloadHeader(1, 3, 100, 0, 0), 2048));
    }

    [Fact]
    public void No_frame_makes_the_cutter_throw_or_make_malformed_pieces()
    {
        using var pool = new PacketPool(1);
        var random = new Random(8);
        byte[] buffer = new byte[4096];
        for (int round = 0; round < Tests.Packets.Fuzzing.Rounds / 10; round++)
        {
            int length = Mutations.Fill(random, buffer);
            byte kind = (byte[])[1, 4, 5, 0x81] is var kinds ? kinds[random.Next(4)] : (byte)0;
            var large = new LargeFrame();
            large.TryBegin(buffer.AsSpan(0, length), new OffloadHeader(1, kind, (ushort)random.Next(40), 0, 0), pool.BufferBytes);
            while (large.IsOpen)
            {
                Assert.True(large.TryNext(buffer.AsSpan(0, length), pool, out Packet packet));
                Assert.Equal(PacketFault.None, PacketParser.Parse(packet.Bytes, out _));
                pool.Return(packet);
            }
        }
    }
}
