using System.Buffers.Binary;
using Skep.DataPlane.Buffers;
using Skep.DataPlane.Packets;
using Skep.DataPlane.Ports;
using Skep.DataPlane.Ports.AfPacket;
using Skep.DataPlane.Ports.AfXdp;
using Skep.DataPlane.Tests.Workers;

namespace Skep.DataPlane.Tests.Ports;

/// <summary>Frames by AF_XDP at one end of a cable, a packet socket at the other.</summary>
public sealed class AfXdpFrames
{
    private const int Many = 3000;
    private static readonly IpAddr A4 = IpAddr.Parse("192.0.2.7"), B4 = IpAddr.Parse("198.51.100.9");

    // Lengths of every kind, numbered, so that one lost, doubled, damaged or out of order is seen.
    private static List<byte[]> Various(int count, int longest = 1514)
    {
        var random = new Random(5);
        var frames = new List<byte[]>();
        for (int i = 0; i < count; i++)
        {
            byte[] payload = new byte[random.Next(46, longest - 13)];
            random.NextBytes(payload);
            BinaryPrimitives.WriteInt32BigEndian(payload, i);
            frames.Add(Frames.Ethernet(Frames.Client, Frames.Us, 0x88B5, payload));
        }
        return frames;
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    public void Frames_cross_unchanged_in_both_directions_and_every_buffer_comes_back(bool generic, bool withinPages)
    {
        using var net = new VethPair();
        using var pool = new PacketPool(1024, 2048, withinPages);
        using var farPool = new PacketPool(1024);
        using (AfXdpPort here = Netns.Run(net.Here, () => new AfXdpPort("here", pool, new AfXdpOptions { Generic = generic, ReceiveFrames = 256, SendFrames = 256 })))
        using (AfPacketPort there = Netns.Run(net.There, () => new AfPacketPort("there", farPool)))
        {
            List<byte[]> frames = Various(Many);
            Assert.Equal(frames, VethPair.Carry(here, there, pool, frames));
            Assert.Equal(frames, VethPair.Carry(there, here, farPool, frames));
            Assert.Equal((Many, Many), (here.Counters.Sent, here.Counters.Received));
            Assert.Equal(default, here.ReadLosses() with { NoBuffer = 0 });
        }
        Assert.Equal(pool.Buffers, pool.Available);
    }

    [Fact]
    public void Ports_over_one_pool_pass_frames_on_without_a_copy()
    {
        using var net = new VethPair();
        using var pool = new PacketPool(1024);
        net.AddCable("2");
        using AfXdpPort first = Netns.Run(net.Here, () => new AfXdpPort("here", pool, new AfXdpOptions { ReceiveFrames = 128, SendFrames = 128 }));
        using AfXdpPort second = Netns.Run(net.Here, () => new AfXdpPort("here2", pool, new AfXdpOptions { ReceiveFrames = 128, SendFrames = 128 }));
        using var farPool = new PacketPool(1024);
        using AfPacketPort from = Netns.Run(net.There, () => new AfPacketPort("there", farPool)), to = Netns.Run(net.There, () => new AfPacketPort("there2", farPool));
        List<byte[]> frames = Various(Many);
        using var through = new Bridge(from, first, second);
        Assert.Equal(frames, VethPair.Carry(through, to, farPool, frames));
    }

    [Fact]
    public void A_partial_checksum_is_completed_and_counted()
    {
        using var net = new VethPair();
        using var pool = new PacketPool(1024);
        using var farPool = new PacketPool(64);
        using AfXdpPort here = Netns.Run(net.Here, () => new AfXdpPort("here", pool));
        using AfPacketPort there = Netns.Run(net.There, () => new AfPacketPort("there", farPool));
        byte[] right = Frames.Frame(Frames.Tcp(A4, 1, B4, 2, TcpFlags.Ack, [1, 2, 3]));
        byte[] partial = [.. right];
        ushort pseudo = (ushort)~Checksum.Finish(Checksum.PseudoHeader(A4, B4, IpProtocol.Tcp, 23));
        BinaryPrimitives.WriteUInt16BigEndian(partial.AsSpan(34 + 16), pseudo);
        byte[] wrong = [.. right];
        wrong[^1]++;
        // What is wrong otherwise stays wrong: damage must not be made to look whole.
        Assert.Equal([right, right, wrong], VethPair.Carry(there, here, farPool, [right, partial, wrong]));
        Assert.Equal(1, here.Counters.ChecksumsCompleted);
    }

    [Fact]
    public void A_frame_longer_than_a_buffer_is_lost_and_told()
    {
        using var net = new VethPair(" mtu 3000");
        using var pool = new PacketPool(1024);
        using var farPool = new PacketPool(64, 4096);
        using AfXdpPort here = Netns.Run(net.Here, () => new AfXdpPort("here", pool));
        using AfPacketPort there = Netns.Run(net.There, () => new AfPacketPort("there", farPool));
        Assert.Contains(here.Notes, n => n.Contains("frames of 'here' over 1856 bytes are lost", StringComparison.Ordinal));
        byte[] small = Various(1)[0];
        Assert.True(farPool.TryCopy(new byte[2500], out Packet large));
        Assert.Equal(1, there.Send([large]));
        Assert.Equal([small], VethPair.Carry(there, here, farPool, [small]));
        Assert.Equal(1, here.ReadLosses().Received);
    }

    [Fact]
    public void A_worker_that_does_not_look_loses_frames_and_is_told_how_many()
    {
        using var net = new VethPair();
        using var pool = new PacketPool(1024);
        using var farPool = new PacketPool(64);
        using AfXdpPort here = Netns.Run(net.Here, () => new AfXdpPort("here", pool, new AfXdpOptions { ReceiveFrames = 16 }));
        using AfPacketPort there = Netns.Run(net.There, () => new AfPacketPort("there", farPool));
        byte[] frame = Various(1)[0];
        for (int i = 0; i < 40; i++)
        {
            Assert.True(farPool.TryCopy(frame, out Packet packet));
            VethPair.Until("the packet socket takes a frame", () => there.Send([packet]) == 1);
        }
        VethPair.Until("the kernel counts what it could not hand over", () => here.ReadLosses() is var l && l.Missed == 24 && ((IPort)here).ReadMissed() == 24);
        var burst = new Packet[64];
        Assert.Equal(16, here.Receive(burst));
        here.Return(burst.AsSpan(0, 16));
        Assert.Equal(Various(5), VethPair.Carry(there, here, farPool, Various(5)));
    }

    [Fact]
    public void Receiving_and_sending_allocates_nothing()
    {
        using var net = new VethPair();
        using var pool = new PacketPool(1024);
        using var farPool = new PacketPool(64);
        using AfXdpPort here = Netns.Run(net.Here, () => new AfXdpPort("here", pool));
        using AfPacketPort there = Netns.Run(net.There, () => new AfPacketPort("there", farPool));
        byte[] frame = Frames.Frame(Frames.Tcp(A4, 1, B4, 2, TcpFlags.Ack, [1, 2, 3]));
        var burst = new Packet[32];
        long received = 0, allocated = 0;
        for (int round = 0; round < 2000; round++)
        {
            Assert.True(farPool.TryCopy(frame, out Packet packet));
            there.Return(new Packet[] { packet }.AsSpan(there.Send([packet])));
            VethPair.Discard(there);
            long before = GC.GetAllocatedBytesForCurrentThread();
            int count = here.Receive(burst);
            int sent = here.Send(burst.AsSpan(0, count));
            here.Return(burst.AsSpan(sent, count - sent));
            // The first rounds are the runtime's own.
            allocated += round < 100 ? 0 : GC.GetAllocatedBytesForCurrentThread() - before;
            received += count;
        }
        Assert.True(received > 1000, $"only {received} frames came");
        Assert.Equal(0, allocated);
    }

    /// <summary>A sender behind which whatever one port receives another sends.</summary>
    private sealed class Bridge(IPort outer, IPort from, IPort to) : IPort
    {
        private readonly Packet[] _burst = new Packet[32];

        public string Name => outer.Name;

        public MacAddress Mac => outer.Mac;

        public int WaitDescriptor => -1;

        public PacketPool Pool => outer.Pool;

        public PortCounters Counters => outer.Counters;

        public int Receive(Span<Packet> burst)
        {
            int count = from.Receive(_burst);
            int sent = to.Send(_burst.AsSpan(0, count));
            to.Return(_burst.AsSpan(sent, count - sent));
            VethPair.Discard(to);
            return outer.Receive(burst);
        }

        public int Send(ReadOnlySpan<Packet> burst) => outer.Send(burst);

        public void Return(ReadOnlySpan<Packet> burst) => outer.Return(burst);

        public void Dispose()
        {
        }
    }
}
