using Skep.DataPlane.Buffers;
using Skep.DataPlane.Ports.Dpdk;
using Skep.DataPlane.Ports.Dpdk.Native;

namespace Skep.DataPlane.Tests.Ports.Dpdk;

/// <summary>Mbufs that other programs and drivers may hand over, put into a ring by hand.</summary>
public sealed unsafe class DpdkMbufs
{
    [Fact]
    public void A_frame_in_several_segments_is_dropped_and_counted_and_all_its_segments_go_back()
    {
        DpdkFixture.Require();
        using var pool = new MbufPool(512);
        using var port = new DpdkPort("net_ring16", pool);
        Packet[] sent = new Packet[3];
        for (byte i = 0; i < sent.Length; i++)
        {
            Assert.True(pool.TryCopy([i, i], out sent[i]));
        }
        Assert.True(pool.TryCopy([9], out Packet second));
        *(BufferHeader**)((byte*)sent[1].Header + Mbuf.NextOffset) = second.Header;
        (sent[1].Header->Segments, sent[1].Header->WholeLength) = (2, 3);
        Assert.Equal(3, port.Send(sent));
        var got = new Packet[8];
        Assert.Equal(2, port.Receive(got));
        Assert.Equal([0, 0], got[0].Bytes.ToArray());
        Assert.Equal([2, 2], got[1].Bytes.ToArray());
        port.Return(got.AsSpan(0, 2));
        Assert.Equal((1, 2), (port.Counters.TooLong, port.Counters.Received));
        Assert.Equal(512, pool.Available);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(6)]
    public void A_frame_whose_tag_the_driver_took_off_is_not_taken_for_one_of_another_network(int place)
    {
        DpdkFixture.Require();
        using var pool = new MbufPool(512);
        using var port = new DpdkPort("net_ring18", pool);
        Packet[] sent = new Packet[7];
        for (byte i = 0; i < sent.Length; i++)
        {
            Assert.True(pool.TryCopy([i, i], out sent[i]));
        }
        sent[place].Header->Flags = Mbuf.TagTakenOff;
        Assert.Equal(sent.Length, port.Send(sent));
        var got = new Packet[8];
        int count = port.Receive(got);
        Assert.Equal(Enumerable.Range(0, 7).Where(i => i != place).Select(i => (byte)i), Enumerable.Range(0, count).Select(i => got[i].Bytes[0]));
        port.Return(got.AsSpan(0, count));
        Assert.Equal((1, 0, 512), (port.Counters.OffloadRefused, port.Counters.TooLong, pool.Available));
    }

    [Fact]
    public void A_frame_begins_where_its_mbuf_says()
    {
        DpdkFixture.Require();
        using var pool = new MbufPool(512);
        using var port = new DpdkPort("net_ring17", pool);
        foreach (ushort offset in new ushort[] { 0, 77, 128, 500, (ushort)(2048 + Mbuf.HeadroomBytes - PacketPool.MinBufferBytes) })
        {
            Assert.True(pool.TryRent(100, out Packet packet));
            packet.Header->Offset = offset;
            packet.Bytes.Fill(42);
            Assert.Equal(1, port.Send([packet]));
            var got = new Packet[1];
            Assert.Equal(1, port.Receive(got));
            Assert.Equal((100, offset), (got[0].Length, got[0].Header->Offset));
            Assert.Equal(Enumerable.Repeat((byte)42, 100), got[0].Bytes.ToArray());
            pool.Return(got[0]);
        }
        // What was moved begins at its usual place again when it is next rented.
        Assert.True(pool.TryRent(1, out Packet again));
        Assert.Equal(Mbuf.HeadroomBytes, again.Header->Offset);
        pool.Return(again);
    }

    [Fact]
    public void A_frame_so_far_behind_in_its_mbuf_that_no_answer_would_fit_is_dropped_and_counted()
    {
        DpdkFixture.Require();
        using var pool = new MbufPool(512);
        using var port = new DpdkPort("net_ring18", pool);
        Assert.True(pool.TryRent(60, out Packet packet));
        packet.Header->Offset = (ushort)(2048 + Mbuf.HeadroomBytes - PacketPool.MinBufferBytes + 1);
        Assert.Equal(1, port.Send([packet]));
        Assert.Equal(0, port.Receive(new Packet[8]));
        Assert.Equal((1, 512), (port.Counters.TooLong, pool.Available));
    }

    [Fact]
    public void An_mbuf_that_is_held_twice_goes_back_when_both_have_given_it_up()
    {
        DpdkFixture.Require();
        using var pool = new MbufPool(64);
        Assert.True(pool.TryRent(60, out Packet packet));
        packet.Header->References = 2;
        pool.Return(packet);
        Assert.Equal(63, pool.Available);
        pool.Return(packet);
        Assert.Equal(64, pool.Available);
    }

    [Fact]
    public void Mbufs_of_two_pools_that_meet_in_a_ring_go_back_each_to_its_own()
    {
        DpdkFixture.Require();
        using MbufPool own = new(64), other = new(64);
        using var port = new DpdkPort("net_ring19", own);
        Assert.True(own.TryCopy([1], out Packet a));
        Assert.True(other.TryCopy([2], out Packet b));
        Assert.Equal(2, port.Send([a, b]));
        var got = new Packet[2];
        Assert.Equal(2, port.Receive(got));
        port.Return(got);
        Assert.Equal((64, 64), (own.Available, other.Available));
    }

    [Fact]
    public void A_thread_gives_its_lcore_up_when_it_ends()
    {
        DpdkFixture.Require();
        using var pool = new MbufPool(64);
        // DPDK has 128 lcores in all: without giving them up the later threads would get none.
        for (int i = 0; i < 200; i++)
        {
            int lcore = -1;
            var thread = new Thread(() =>
            {
                lcore = DpdkThread.Lcore;
                Assert.True(pool.TryRent(1, out Packet packet));
                pool.Return(packet);
            });
            thread.Start();
            thread.Join();
            Assert.InRange(lcore, 1, 127);
        }
        Assert.Equal(64, pool.Available);
    }
}
