using CsCheck;
using Skep.DataPlane.Buffers;
using Skep.DataPlane.Packets;
using Skep.DataPlane.Ports;
using Skep.DataPlane.Ports.Dpdk;

namespace Skep.DataPlane.Tests.Ports.Dpdk;

public sealed class DpdkPorts
{
    [Fact]
    public void Frames_come_out_of_a_ring_as_they_went_in()
    {
        DpdkFixture.Require();
        using var pool = new MbufPool(512);
        using (var port = new DpdkPort("net_ring0", pool))
        {
            Gen.Byte.Array[1, 2048].Array[1, 200].Sample(frames => Assert.Equal(frames, DpdkFixture.Through(pool, port, port, frames)), iter: 50, threads: 1);
            Assert.Equal(0, port.Counters.TooLong);
        }
        Assert.Equal(512, pool.Available);
    }

    [Fact]
    public void No_mbuf_is_lost_in_a_million_bursts()
    {
        DpdkFixture.Require();
        using var pool = new MbufPool(2048);
        using var port = new DpdkPort("net_null1", pool);
        var burst = new Packet[32];
        // A thread's first look at a pool makes what is kept for the thread, whichever test comes first on it.
        Assert.True(pool.TryRent(64, out Packet first));
        pool.Return(first);
        long allocated = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1_000_000; i++)
        {
            int count = port.Receive(burst);
            int sent = port.Send(burst.AsSpan(0, count - (i & 1)));
            port.Return(burst.AsSpan(sent, count - sent));
        }
        Assert.Equal(allocated, GC.GetAllocatedBytesForCurrentThread());
        Assert.Equal(2048, pool.Available);
        Assert.Equal(32_000_000, port.Counters.Received);
        Assert.Equal(31_500_000, port.Counters.Sent);
        Assert.Equal((32_000_000, 31_500_000), (port.Device.Statistics.Received, port.Device.Statistics.Sent));
    }

    [Fact]
    public void What_waits_in_a_ring_goes_back_to_the_pool_when_the_port_closes()
    {
        DpdkFixture.Require();
        using var pool = new MbufPool(512);
        using (var port = new DpdkPort("net_ring2", pool))
        {
            var burst = new Packet[300];
            for (int i = 0; i < burst.Length; i++)
            {
                Assert.True(pool.TryCopy([(byte)i], out burst[i]));
            }
            // A burst has 256 frames at most; the rest stay the caller's.
            Assert.Equal(256, port.Send(burst));
            port.Return(burst.AsSpan(256));
            Assert.Equal(256, pool.Available);
        }
        Assert.Equal(512, pool.Available);
    }

    [Fact]
    public void A_full_ring_takes_no_more_than_it_holds()
    {
        DpdkFixture.Require();
        using var pool = new MbufPool(2048);
        using var port = new DpdkPort("net_ring3", pool);
        var burst = new Packet[200];
        int taken = 0, offered = 0;
        for (; offered < 1200; offered += burst.Length)
        {
            for (int i = 0; i < burst.Length; i++)
            {
                Assert.True(pool.TryCopy([1], out burst[i]));
            }
            int sent = port.Send(burst);
            port.Return(burst.AsSpan(sent));
            taken += sent;
        }
        Assert.Equal(1023, taken);
        Assert.Equal(2048 - taken, pool.Available);
    }

    [Fact]
    public void The_link_goes_down_and_up()
    {
        DpdkFixture.Require();
        using var pool = new MbufPool(512);
        using var port = new DpdkPort("net_ring4", pool);
        Assert.True(port.Device.Link.Up);
        port.Device.SetLink(up: false);
        Assert.False(port.Device.Link.Up);
        port.Device.SetLink(up: true);
        Assert.Equal(new DpdkLink(true, 10_000, true), port.Device.Link);
    }

    [Fact]
    public void A_device_that_spreads_frames_has_a_port_for_each_queue_and_one_that_cannot_says_so()
    {
        DpdkFixture.Require();
        using MbufPool first = new(512), second = new(512);
        using (var device = new DpdkDevice("net_null5", [first, second]))
        {
            using DpdkPort one = new(device), two = new(device, 1);
            Assert.Equal(("net_null5/0", "net_null5/1"), (one.Name, two.Name));
            Assert.Throws<ArgumentOutOfRangeException>(() => new DpdkPort(device, 2));
            var burst = new Packet[32];
            Assert.Equal(32, two.Receive(burst));
            Assert.Equal((512, 480), (first.Available, second.Available));
            Assert.Equal(32, one.Send(burst));
            Assert.Equal((512, 512), (first.Available, second.Available));
        }
        IOException refused = Assert.Throws<IOException>(() => new DpdkDevice("net_ring5", [first, second]));
        Assert.Matches("net_ring5.*queues", refused.Message);
        // Nothing of it stays: the name is free again.
        using var port = new DpdkPort("net_ring5", first);
        Assert.Equal("net_ring5", port.Name);
    }

    [Fact]
    public void A_device_is_open_once_at_a_time_and_a_pool_outlives_it()
    {
        DpdkFixture.Require();
        var pool = new MbufPool(512);
        var port = new DpdkPort("net_null10", pool);
        Assert.Equal("'net_null10' is open already", Assert.Throws<IOException>(() => new DpdkPort("net_null10", pool)).Message);
        var burst = new Packet[8];
        Assert.Equal(8, port.Receive(burst));
        port.Return(burst);
        // Disposed in the wrong order the memory is still there.
        pool.Dispose();
        Assert.Equal(8, port.Receive(burst));
        port.Return(burst);
        port.Dispose();
        Assert.Throws<ObjectDisposedException>(() => port.Receive(burst));
    }

    [Fact]
    public void Packets_of_another_kind_of_pool_are_refused_at_once()
    {
        DpdkFixture.Require();
        using var pool = new MbufPool(512);
        using var others = new PacketPool(4);
        using var port = new DpdkPort("net_ring6", pool);
        Assert.True(others.TryCopy([1, 2, 3], out Packet packet));
        Assert.Throws<InvalidOperationException>(() => port.Send([packet]));
        Assert.Throws<InvalidOperationException>(() => pool.Return(packet));
        Assert.True(pool.TryCopy([1, 2, 3], out Packet mbuf));
        Assert.ThrowsAny<Exception>(() => others.Return(mbuf));
        pool.Return(mbuf);
        Assert.Equal(512, pool.Available);
    }

    [Fact]
    public void A_pool_gives_what_it_has_and_no_more()
    {
        DpdkFixture.Require();
        using var pool = new MbufPool(64, bufferBytes: 256);
        var packets = new List<Packet>();
        while (pool.TryRent(256, out Packet packet))
        {
            packets.Add(packet);
        }
        Assert.True(pool.IsEmpty);
        Assert.Equal((64, 0), (packets.Count, pool.Available));
        packets.ForEach(pool.Return);
        Assert.Equal(64, pool.Available);
        Assert.Throws<ArgumentOutOfRangeException>(() => pool.TryRent(257, out _));
    }

    [Fact]
    public void A_memory_port_and_a_dpdk_port_exchange_packets_of_one_pool()
    {
        DpdkFixture.Require();
        using var pool = new MbufPool(512);
        using var memory = new MemoryPort("m", Frames.Us, pool);
        using var ring = new DpdkPort("net_ring7", pool);
        byte[] frame = Frames.Frame(Frames.Tcp(IpAddr.Parse("192.0.2.7"), 1, IpAddr.Parse("198.51.100.9"), 2, TcpFlags.Ack, new byte[900]));
        Assert.True(memory.Inject(frame));
        var burst = new Packet[4];
        Assert.Equal(1, memory.Receive(burst));
        Assert.Equal(1, ring.Send(burst.AsSpan(0, 1)));
        Assert.Equal(1, ring.Receive(burst));
        Assert.Equal(1, memory.Send(burst.AsSpan(0, 1)));
        Assert.Equal(frame, memory.Take());
        Assert.Equal(512, pool.Available);
    }
}
