using Skep.DataPlane.Balancing.Configuration;
using Skep.DataPlane.Packets;
using Skep.DataPlane.Tests.Packets;

namespace Skep.DataPlane.Tests.Balancing;

public sealed class Fuzzing
{
    [Fact]
    public void No_frame_breaks_the_balancer_costs_it_a_buffer_or_leaves_it_malformed()
    {
        IpAddr a = IpAddr.Parse("2001:db8:1::1");
        ServiceConfig six = new("six", a, 80, IpProtocol.Udp, BalanceMode.Nat, [new BackendConfig(Rig.Backend6(1), 8080)]);
        using var rig = new Rig(Rig.Config(Rig.Service(BalanceMode.Nat, 3), six, six with { Protocol = IpProtocol.Tcp },
            Rig.Service(BalanceMode.Nat, 2, IpProtocol.Udp)), kernel: true);
        var random = new Random(4);
        byte[] buffer = new byte[4096];
        long sent = 0;
        for (int round = 0; round < Tests.Packets.Fuzzing.Rounds / 2; round++)
        {
            int length = Mutations.Fill(random, buffer);
            Assert.True((round & 1) == 0 ? rig.Front.Inject(buffer.AsSpan(0, length)) : rig.Back.Inject(buffer.AsSpan(0, length)));
            rig.Worker.RunOnce();
            while ((rig.Front.Take() ?? rig.Back.Take()) is { } frame)
            {
                sent++;
                Assert.Equal(PacketFault.None, PacketParser.Parse(frame, out _));
            }
            while (rig.Kernel!.Take() is not null)
            {
            }
        }
        Assert.Equal(256, rig.Pool.Available);
        Assert.True(sent > 1000, $"{sent} frames were sent");
    }

    [Fact]
    public void Nothing_is_allocated_once_packets_flow()
    {
        using var rig = new Rig(Rig.Config(Rig.Service(BalanceMode.Nat, 3)), kernel: true);
        byte[] syn = Frames.Frame(Frames.Tcp(Rig.Client4, 1, Rig.Vip4, 80, TcpFlags.Syn));
        byte[] ssh = Frames.Frame(Frames.Tcp(Rig.Client4, 1, IpAddr.Parse("192.0.2.1"), 22, TcpFlags.Syn));
        byte[] arp = Frames.Arp(1, Frames.Client, Rig.Client4, default, Rig.Vip4, MacAddress.Broadcast);
        long Round(int times)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < times; i++)
            {
                syn[35] = (byte)i;
                rig.Time.Advance(TimeSpan.FromMilliseconds(50));
                rig.Front.Inject(syn);
                rig.Front.Inject(ssh);
                rig.Front.Inject(arp);
                rig.Worker.RunOnce();
                Drain(rig.Back);
                Drain(rig.Front);
                Drain(rig.Kernel!);
            }
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }
        Round(100);
        Assert.Equal(0, Round(1000));
    }

    private static void Drain(Skep.DataPlane.Ports.MemoryPort port)
    {
        while (port.TryPeek(out _))
        {
            port.Advance();
        }
    }
}
