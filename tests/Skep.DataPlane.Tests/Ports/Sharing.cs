using Skep.DataPlane.Buffers;
using Skep.DataPlane.Engine;
using Skep.DataPlane.Packets;
using Skep.DataPlane.Ports;
using Skep.DataPlane.Ports.AfPacket;
using Skep.DataPlane.Tests.Workers;

namespace Skep.DataPlane.Tests.Ports;

/// <summary>A device whose frames come to several workers, each by a port of its own.</summary>
public sealed class Sharing
{
    private static readonly IpAddr Service = IpAddr.Parse("198.51.100.1");

    [Fact]
    public void Of_packet_sockets_each_frame_comes_to_one_and_a_connections_all_to_the_same()
    {
        using var net = new VethPair();
        List<(int Queue, byte[] Frame)> came = Carry(net, workers: 3,
            [.. from round in Enumerable.Range(0, 3) from client in Enumerable.Range(1, 60) select Frames.Frame(Frames.Tcp(Client(client % 7), (ushort)client, Service, 80, TcpFlags.Ack, [(byte)round]))]);
        Assert.Equal([0, 1, 2], came.Select(static c => c.Queue).Distinct().Order());
        Assert.All(came.GroupBy(static c => Rig.Headers(c.Frame).SourcePort), static g => Assert.Single(g.Select(static c => c.Queue).Distinct()));
        Assert.Equal(came.Count, came.Select(static c => Convert.ToHexString(c.Frame)).Distinct().Count());
    }

    [Fact]
    public void Of_packet_sockets_a_datagrams_fragments_all_come_to_the_same()
    {
        using var net = new VethPair();
        var frames = new List<byte[]>();
        for (int client = 1; client <= 60; client++)
        {
            byte[] segment = Frames.UdpSegment(Client(client), (ushort)client, Service, 80, new byte[40]);
            frames.Add(Frames.Frame(Frames.V4(Client(client), Service, IpProtocol.Udp, segment[..24], id: (ushort)client, fragment: 0x2000)));
            frames.Add(Frames.Frame(Frames.V4(Client(client), Service, IpProtocol.Udp, segment[24..], id: (ushort)client, fragment: 3)));
        }
        List<(int Queue, byte[] Frame)> came = Carry(net, workers: 2, frames);
        Assert.Equal([0, 1], came.Select(static c => c.Queue).Distinct().Order());
        Assert.All(came.GroupBy(static c => Rig.Headers(c.Frame).FragmentId), static g => Assert.Single(g.Select(static c => c.Queue).Distinct()));
    }

    [Fact]
    public void Frames_are_shared_again_after_the_device_was_down()
    {
        using var net = new VethPair();
        List<byte[]> frames = [.. Enumerable.Range(1, 40).Select(static client => Frames.Frame(Frames.Tcp(Client(client), 1, Service, 80, TcpFlags.Ack)))];
        List<(int Queue, byte[] Frame)> came = Carry(net, workers: 2, frames, before: () =>
        {
            Netns.Command($"-n {net.Here} link set here down");
            Netns.Command($"-n {net.Here} link set here up");
        });
        Assert.Equal([0, 1], came.Select(static c => c.Queue).Distinct().Order());
    }

    [Fact]
    public void Xdp_takes_as_many_queues_as_workers_and_says_what_to_do_where_there_are_too_few()
    {
        using var net = new VethPair(" numtxqueues 2 numrxqueues 2");
        PacketPool[] pools = [.. Enumerable.Range(0, 3).Select(static _ => new PacketPool(1024))];
        IOException refused = Assert.IsType<IOException>(Assert.Throws<InvalidOperationException>(() => Open(net, "afxdp:here", pools)).InnerException);
        Assert.Contains("'here' has too few queues for 3 workers from queue 0 on: it has 2; make them more (ethtool -L here combined 3", refused.Message, StringComparison.Ordinal);
        using (OpenWires both = Open(net, "afxdp:here", pools[..2]))
        {
            Assert.Equal(("here", "", 2), (both.Name, both.Note, both.Queues.Count));
        }
        Assert.Contains("for 2 workers from queue 1 on", Assert.Throws<InvalidOperationException>(() => Open(net, "afxdp:here,queue=1", pools[..2])).Message, StringComparison.Ordinal);
        using (OpenWires second = Open(net, "afxdp:here,queue=1", pools[..1]))
        {
            Assert.Contains("queue 1 of 2 of 'here' is served here", second.Note, StringComparison.Ordinal);
        }
        Assert.All(pools, static p => Assert.Equal(1024, p.Available));
        Array.ForEach(pools, static p => p.Dispose());
    }

    private static IpAddr Client(int n) => IpAddr.V4(0xC000_0200 + (uint)n);

    private static OpenWires Open(VethPair net, string spec, IReadOnlyList<PacketPool> pools) => Netns.Run(net.Here, () => PortDrivers.Open(PortSpec.Parse(spec), pools));

    // Sends frames to a device that several share, and gives them with who got them.
    private static List<(int Queue, byte[] Frame)> Carry(VethPair net, int workers, List<byte[]> frames, Action? before = null)
    {
        using var farPool = new PacketPool(64);
        PacketPool[] pools = [.. Enumerable.Range(0, workers).Select(static _ => new PacketPool(256))];
        var came = new List<(int, byte[])>();
        using (OpenWires here = Open(net, "afpacket:here", pools))
        using (IPort there = Netns.Run(net.There, () => new AfPacketPort("there", farPool)))
        {
            before?.Invoke();
            int sent = 0;
            var burst = new Packet[32];
            VethPair.Until($"{frames.Count} frames come by the {workers} ports", () =>
            {
                if (sent < frames.Count && farPool.TryCopy(frames[sent], out Packet packet))
                {
                    int taken = there.Send([packet]);
                    sent += taken;
                    there.Return(((Packet[])[packet]).AsSpan(taken));
                }
                VethPair.Discard(there);
                for (int queue = 0; queue < workers; queue++)
                {
                    int count = here.Queues[queue].Receive(burst);
                    foreach (Packet received in burst.AsSpan(0, count))
                    {
                        came.Add((queue, received.Bytes.ToArray()));
                    }
                    here.Queues[queue].Return(burst.AsSpan(0, count));
                }
                return came.Count >= frames.Count;
            });
        }
        Assert.All(pools, static p => Assert.Equal(256, p.Available));
        Array.ForEach(pools, static p => p.Dispose());
        Assert.Equal(frames.Count, came.Count);
        return came;
    }
}
