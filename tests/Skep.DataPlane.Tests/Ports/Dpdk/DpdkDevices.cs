using Skep.DataPlane.Buffers;
using Skep.DataPlane.Packets;
using Skep.DataPlane.Ports;
using Skep.DataPlane.Ports.AfPacket;
using Skep.DataPlane.Ports.Dpdk;
using Skep.DataPlane.Tests.Workers;

namespace Skep.DataPlane.Tests.Ports.Dpdk;

/// <summary>Virtual devices that are also the kernel's, which stands at their far side and knows nothing of mbufs.</summary>
public sealed class DpdkDevices
{
    private const ushort Ours = 0x88B5;

    [Fact]
    public void Frames_of_the_kernel_come_in_by_net_tap_and_go_out_by_it_as_they_are()
    {
        Netns.RequireRoot();
        DpdkFixture.Require();
        using var net = new Netns();
        string name = net.Add("dt");
        Netns.Shell(name, "echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6");
        Netns.Run(name, () =>
        {
            Exchange("net_tap8,iface=skdt,mac=02:00:00:00:00:77", "skdt", port => Assert.Equal("02:00:00:00:00:77", port.Mac.ToString()));
            return true;
        });
    }

    [Fact]
    public void Frames_of_a_veth_come_in_by_net_af_packet_and_go_out_by_it_as_they_are()
    {
        Netns.RequireRoot();
        DpdkFixture.Require();
        using var net = new Netns();
        string name = net.Add("da");
        Netns.Shell(name, "echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6; ip link add skva address 02:00:00:00:00:78 type veth peer name skvb; ip link set skva up; ip link set skvb up");
        Netns.Run(name, () =>
        {
            Exchange("net_af_packet8,iface=skva", "skvb", port => Assert.Equal("02:00:00:00:00:78", port.Mac.ToString()));
            return true;
        });
    }

    [Fact]
    public void A_device_of_the_kernel_that_is_not_there_is_named_in_the_error()
    {
        DpdkFixture.Require();
        using var pool = new MbufPool(512);
        IOException failed = Assert.Throws<IOException>(() => new DpdkPort("net_af_packet9,iface=nosuch", pool));
        Assert.Contains("net_af_packet9,iface=nosuch", failed.Message, StringComparison.Ordinal);
        // What DPDK's driver said of it.
        Assert.Contains("SIOCGIFINDEX", failed.Message, StringComparison.Ordinal);
        Assert.Contains("net_nosuch0", Assert.Throws<IOException>(() => new DpdkPort("net_nosuch0", pool)).Message, StringComparison.Ordinal);
    }

    private static void Exchange(string device, string kernelDevice, Action<DpdkPort> alsoHolds)
    {
        using var pool = new MbufPool(2048);
        using var kernelPool = new PacketPool(256);
        using (var port = new DpdkPort(device, pool, descriptors: 256))
        using (var kernel = new AfPacketPort(kernelDevice, kernelPool))
        {
            alsoHolds(port);
            DpdkFixture.Until("the link comes up", () => port.Device.Link.Up);
            byte[][] frames = [.. Enumerable.Range(0, 100).Select(n => Frames.Ethernet(Frames.Client, Frames.Us, Ours, [.. Enumerable.Range(0, 46 + n * 14).Select(i => (byte)(i * n))]))];
            Assert.Equal(frames, Pass(kernelPool, kernel, port, frames));
            Assert.Equal(frames, Pass(pool, port, kernel, frames));
        }
        Assert.Equal(2048, pool.Available);
    }

    // The kernel says things of its own on a new device; only frames of our type count.
    private static List<byte[]> Pass(PacketPool pool, IPort from, IPort to, byte[][] frames)
    {
        var got = new List<byte[]>();
        var burst = new Packet[1];
        foreach (byte[] frame in frames)
        {
            Assert.True(pool.TryCopy(frame, out burst[0]));
            DpdkFixture.Until($"{from.Name} takes a frame", () => from.Send(burst) == 1);
            DpdkFixture.Until($"{to.Name} receives frame {got.Count} of {from.Name}'s", () =>
            {
                var arrived = new Packet[8];
                int count = to.Receive(arrived);
                got.AddRange(arrived[..count].Select(p => p.Bytes.ToArray()).Where(f => f[12] == Ours >> 8 && f[13] == (Ours & 0xFF)));
                to.Return(arrived.AsSpan(0, count));
                return count > 0;
            });
        }
        return got;
    }
}
