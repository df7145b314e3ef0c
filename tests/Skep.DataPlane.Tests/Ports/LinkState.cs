using System.Diagnostics;
using Skep.DataPlane.Buffers;
using Skep.DataPlane.Native;
using Skep.DataPlane.Ports;
using Skep.DataPlane.Ports.AfPacket;
using Skep.DataPlane.Ports.AfXdp;
using Skep.DataPlane.Tests.Workers;

namespace Skep.DataPlane.Tests.Ports;

/// <summary>A device that goes down and comes up again under an open port.</summary>
public sealed class LinkState
{
    private static readonly byte[] Sign = Frames.Ethernet(Frames.Client, Frames.Us, 0x88B5, new byte[60]);

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public void A_port_goes_on_after_either_end_was_down(bool xdp, bool farEnd)
    {
        using var net = new VethPair();
        using var pool = new PacketPool(1024);
        using var farPool = new PacketPool(1024);
        using (IPort here = Netns.Run<IPort>(net.Here, () => xdp ? new AfXdpPort("here", pool) : new AfPacketPort("here", pool)))
        using (IPort there = Netns.Run(net.There, () => new AfPacketPort("there", farPool)))
        {
            string device = farEnd ? $"-n {net.There} link set there" : $"-n {net.Here} link set here";
            Netns.Command($"{device} down");
            // More than a ring holds: a port that is full says so and takes again later.
            for (int i = 0; i < 2 * 512; i++)
            {
                Try(here, pool);
            }
            VethPair.Discard(here);
            Netns.Command($"{device} up");
            VethPair.Until($"a frame leaves by {here.Name} again", () => Passes(here, there, pool));
            VethPair.Until($"a frame comes by {here.Name} again", () => Passes(there, here, farPool));
        }
        // What the kernel held when it was closed came back too, or waits in no ring: a packet socket's is a copy.
        Assert.Equal(pool.Buffers, pool.Available);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_worker_sleeps_while_nothing_comes_though_its_device_was_down(bool xdp)
    {
        using var net = new VethPair();
        using var pool = new PacketPool(1024);
        using IPort here = Netns.Run<IPort>(net.Here, () => xdp ? new AfXdpPort("here", pool) : new AfPacketPort("here", pool));
        foreach (string state in (string[])["down", "up"])
        {
            Netns.Command($"-n {net.Here} link set here {state}");
            VethPair.Until($"a wait lasts after the device went {state}", () =>
            {
                VethPair.Discard(here);
                long start = Stopwatch.GetTimestamp();
                Poller.Wait([here.WaitDescriptor], 100);
                return Stopwatch.GetElapsedTime(start) >= TimeSpan.FromMilliseconds(90);
            });
        }
    }

    [Fact]
    public void Frames_that_find_a_packet_socket_full_are_counted()
    {
        using var net = new VethPair();
        using var pool = new PacketPool(64);
        using AfPacketPort here = Netns.Run(net.Here, () => new AfPacketPort("here", pool, receiveFrames: 4));
        using AfPacketPort there = Netns.Run(net.There, () => new AfPacketPort("there", pool));
        for (int i = 0; i < 10; i++)
        {
            Try(there, pool);
        }
        VethPair.Until("six of ten frames are counted as missed", () => here.ReadMissed() == 6);
    }

    private static void Try(IPort port, PacketPool pool)
    {
        if (pool.TryCopy(Sign, out Packet packet) && port.Send([packet]) == 0)
        {
            port.Return([packet]);
        }
    }

    private static bool Passes(IPort from, IPort to, PacketPool pool)
    {
        Try(from, pool);
        VethPair.Discard(from);
        var burst = new Packet[32];
        int count = to.Receive(burst);
        bool came = count > 0 && burst[0].Bytes.SequenceEqual(Sign);
        to.Return(burst.AsSpan(0, count));
        return came;
    }
}
