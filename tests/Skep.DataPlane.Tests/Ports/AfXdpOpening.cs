using Skep.DataPlane.Buffers;
using Skep.DataPlane.Native;
using Skep.DataPlane.Packets;
using Skep.DataPlane.Ports.AfPacket;
using Skep.DataPlane.Ports.AfXdp;
using Skep.DataPlane.Tests.Workers;

namespace Skep.DataPlane.Tests.Ports;

/// <summary>What opening and closing an AF_XDP port does to the device, and what is said where it cannot be opened.</summary>
public sealed class AfXdpOpening
{
    private static readonly byte[] Frame = Frames.Ethernet(Frames.Client, Frames.Us, 0x88B5, new byte[60]);

    private static AfXdpPort Open(VethPair net, PacketPool pool, AfXdpOptions? options = null, string device = "here") =>
        Netns.Run(net.Here, () => new AfXdpPort(device, pool, options));

    private static string Refused(VethPair net, PacketPool pool, AfXdpOptions? options = null, string device = "here") =>
        Assert.IsType<IOException>(Assert.Throws<InvalidOperationException>(() => Open(net, pool, options, device)).InnerException).Message;

    private static uint? Program(VethPair net) => Netns.Run(net.Here, () =>
    {
        using var socket = new KernelSocket(KernelSocket.Internet);
        return XdpAttached.Id(NetDevice.Index(socket.Descriptor, "here"));
    });

    [Fact]
    public void The_program_is_on_the_device_while_the_port_is_open_and_no_longer()
    {
        using var net = new VethPair();
        using var pool = new PacketPool(1024);
        Assert.Null(Program(net));
        AfXdpPort port = Open(net, pool);
        Assert.Equal(XdpProgram.Label, Bpf.ProgramName(Program(net)!.Value));
        port.Dispose();
        VethPair.Until("the program is gone", () => Program(net) is null);
        Assert.Equal(pool.Buffers, pool.Available);
    }

    // As a child process does from its fork to its exec.
    [Fact]
    public void The_program_goes_with_its_port_though_somebody_has_a_copy_of_its_link()
    {
        using var net = new VethPair();
        using var pool = new PacketPool(1024);
        AfXdpPort port = Open(net, pool);
        int index = Netns.Run(net.Here, () =>
        {
            using var socket = new KernelSocket(KernelSocket.Internet);
            return NetDevice.Index(socket.Descriptor, "here");
        });
        int copy = Bpf.OpenLink(Bpf.LinkOf(Program(net)!.Value, index)!.Value);
        Assert.True(copy >= 0);
        port.Dispose();
        Assert.Null(Program(net));
        _ = Libc.Close(copy);
    }

    [Fact]
    public void A_queue_can_be_had_again_as_soon_as_its_port_is_disposed()
    {
        using var net = new VethPair();
        using var pool = new PacketPool(1024);
        using var farPool = new PacketPool(64);
        using AfPacketPort there = Netns.Run(net.There, () => new AfPacketPort("there", farPool));
        for (int time = 0; time < 5; time++)
        {
            using AfXdpPort port = Open(net, pool);
            Assert.Equal([Frame], VethPair.Carry(there, port, farPool, [Frame]));
        }
    }

    [Fact]
    public void A_second_port_on_a_device_is_refused_with_the_name_of_the_program_that_is_there()
    {
        using var net = new VethPair();
        using var pool = new PacketPool(2048);
        using AfXdpPort first = Open(net, pool);
        string message = Refused(net, pool);
        Assert.Contains($"'here' has an XDP program already: 'skep_xsk' (program {Program(net)}), held by link", message, StringComparison.Ordinal);
        Assert.Contains("bpftool link detach id", message, StringComparison.Ordinal);
        Assert.Equal(2048 - 512, pool.Available);
    }

    [Fact]
    public void Somebody_elses_program_is_named_with_the_way_to_remove_it()
    {
        using var net = new VethPair();
        using var pool = new PacketPool(1024);
        AttachByNetlink(net);
        Assert.Contains("ip link set dev here xdp off", Refused(net, pool), StringComparison.Ordinal);
        Netns.Command($"-n {net.Here} link set dev here xdp off");
        using AfXdpPort port = Open(net, pool);
    }

    [Fact]
    public void Zero_copy_that_the_driver_refuses_becomes_copies_and_is_told()
    {
        using var net = new VethPair();
        using var pool = new PacketPool(1024, 2048, withinPages: true);
        using var farPool = new PacketPool(64);
        using AfXdpPort here = Open(net, pool, new AfXdpOptions { ZeroCopy = true });
        using AfPacketPort there = Netns.Run(net.There, () => new AfPacketPort("there", farPool));
        Assert.Equal(here.IsZeroCopy, !here.Notes.Any(n => n.Contains("the driver veth refuses zero copy", StringComparison.Ordinal)));
        Assert.Equal([Frame], VethPair.Carry(there, here, farPool, [Frame]));
    }

    [Fact]
    public void Zero_copy_takes_buffers_that_lie_within_pages()
    {
        using var net = new VethPair();
        using var pool = new PacketPool(1024);
        using AfXdpPort port = Open(net, pool, new AfXdpOptions { ZeroCopy = true });
        Assert.False(port.IsZeroCopy);
        Assert.Contains(port.Notes, n => n.Contains("within pages", StringComparison.Ordinal));
    }

    [Fact]
    public void What_stands_against_opening_is_said()
    {
        using var net = new VethPair(" mtu 9000");
        using var pool = new PacketPool(1024);
        Assert.Contains("no network device 'nowhere'", Refused(net, pool, device: "nowhere"), StringComparison.Ordinal);
        Assert.Contains("has no queue 7: it has", Refused(net, pool, new AfXdpOptions { Queue = 7 }), StringComparison.Ordinal);
        Assert.Contains("lower the MTU", Refused(net, pool), StringComparison.Ordinal);
        Netns.Command($"-n {net.Here} link set here down");
        Assert.Contains("'here' is down: ip link set here up", Refused(net, pool), StringComparison.Ordinal);
        Assert.Equal(pool.Buffers, pool.Available);
    }

    [Fact]
    public void A_ring_or_a_pool_that_cannot_be_is_refused_before_anything_is_touched()
    {
        using var small = new PacketPool(4, 1024);
        using var few = new PacketPool(100);
        using var large = new PacketPool(1024, 8192);
        Assert.Contains("power of two", Assert.Throws<ArgumentException>(() => new AfXdpPort("lo", few, new AfXdpOptions { SendFrames = 48 })).Message, StringComparison.Ordinal);
        Assert.Contains("100 free buffers", Assert.Throws<ArgumentException>(() => new AfXdpPort("lo", few)).Message, StringComparison.Ordinal);
        Assert.Contains("the pool's have 1024", Assert.Throws<ArgumentException>(() => new AfXdpPort("lo", small)).Message, StringComparison.Ordinal);
        Assert.Contains("the pool's have 8192", Assert.Throws<ArgumentException>(() => new AfXdpPort("lo", large)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Other_queues_are_the_kernels_and_a_note_says_so()
    {
        using var net = new VethPair(" numtxqueues 1 numrxqueues 2");
        using var pool = new PacketPool(1024);
        using AfXdpPort port = Open(net, pool, new AfXdpOptions { Queue = 1 });
        Assert.Contains(port.Notes, n => n.Contains("queue 1 of 2 of 'here'", StringComparison.Ordinal));
        // The peer's only queue leads to our first, which is not the port's.
        using var farPool = new PacketPool(64);
        using AfPacketPort there = Netns.Run(net.There, () => new AfPacketPort("there", farPool));
        using AfPacketPort kernel = Netns.Run(net.Here, () => new AfPacketPort("here", farPool));
        Assert.Equal([Frame], VethPair.Carry(there, kernel, farPool, [Frame]));
        VethPair.Discard(port);
        Assert.Equal(0, port.Counters.Received);
    }

    [Fact]
    public void What_comes_by_the_ports_queue_the_kernel_does_not_see()
    {
        using var net = new VethPair();
        using var pool = new PacketPool(1024);
        using var farPool = new PacketPool(64);
        using AfXdpPort port = Open(net, pool);
        using AfPacketPort there = Netns.Run(net.There, () => new AfPacketPort("there", farPool));
        using AfPacketPort kernel = Netns.Run(net.Here, () => new AfPacketPort("here", farPool));
        Assert.Equal([Frame], VethPair.Carry(there, port, farPool, [Frame]));
        VethPair.Discard(kernel);
        Assert.Equal(0, kernel.Counters.Received);
    }

    [Fact]
    public void A_program_that_the_verifier_refuses_is_an_error_with_its_words()
    {
        Netns.RequireRoot();
        byte[] log = new byte[4096];
        Assert.True(Bpf.LoadXdp("bad", [0x95], log) < 0);
        Assert.Contains("R0 !read_ok", System.Text.Encoding.ASCII.GetString(log), StringComparison.Ordinal);
    }

    // A program that passes everything, attached without a link, as iproute2 and older loaders do it (RTM_SETLINK, IFLA_XDP).
    private static void AttachByNetlink(VethPair net) => Netns.Run(net.Here, () =>
    {
        int program = Bpf.LoadXdp("theirs", [0x0000_0002_0000_00B7, 0x95], []);
        using var asked = new KernelSocket(KernelSocket.Internet);
        int socket = Libc.Socket(16, 3, 0);
        uint[] message = [52, 5 << 16 | 19, 0, 0, 0, (uint)NetDevice.Index(asked.Descriptor, "here"), 0, 0, 0x802B_0014, 0x0001_0008, (uint)program, 0x0003_0008, 0];
        Span<byte> bytes = System.Runtime.InteropServices.MemoryMarshal.AsBytes(message.AsSpan());
        int error = Exchange(socket, bytes);
        foreach (int descriptor in (int[])[program, socket])
        {
            _ = Libc.Close(descriptor);
        }
        Assert.Equal(0, error);
        return true;
    });

    private static unsafe int Exchange(int socket, Span<byte> message)
    {
        fixed (byte* p = message)
        {
            Assert.Equal(message.Length, Libc.Write(socket, p, (nuint)message.Length));
            Assert.True(Libc.Read(socket, p, (nuint)message.Length) >= 20);
            return *(int*)(p + 16);
        }
    }
}
