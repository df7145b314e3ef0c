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
            Rig.Service(BalanceMode.Nat, 2, IpProtocol.Udp), Answering(IpProtocol.Tcp), Answering(IpProtocol.Udp)), kernel: true);
        var random = new Random(4);
        byte[] buffer = new byte[4096];
        long sent = 0;
        for (int round = 0; round < Tests.Packets.Fuzzing.Rounds / 2; round++)
        {
            int length = Mutations.Fill(random, buffer);
            if ((round & 1) != 0)
            {
                // From a backend, to a client that is nobody here.
                Rig.BackMac.Write(buffer);
                IpAddr.Parse("203.0.113.5").Write(buffer.AsSpan(30));
            }
            if ((round & 2) != 0)
            {
                Reseal(buffer.AsSpan(0, length));
            }
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
        Assert.True(rig.Worker.Counters.Forwarded > 1000 && rig.Worker.Counters.Returned > 100 && rig.Worker.Counters.IcmpErrors > 10,
            $"forwarded {rig.Worker.Counters.Forwarded}, returned {rig.Worker.Counters.Returned}, ICMP errors {rig.Worker.Counters.IcmpErrors}");
    }

    private static ServiceConfig Answering(byte protocol) => new("seven", IpAddr.Parse("198.51.100.7"), 443, protocol, BalanceMode.Nat,
        [new BackendConfig(IpAddr.Parse("192.0.2.7"), 40_000), new BackendConfig(IpAddr.Parse("192.0.2.7"), 1)]);

    // Without a right checksum most mutations of IPv4 would come no further than that.
    private static void Reseal(Span<byte> frame)
    {
        int header = frame.Length > 34 ? (frame[14] & 0x0F) * 4 : 0;
        if (header >= 20 && 14 + header <= frame.Length && frame[12] == 8 && frame[13] == 0)
        {
            frame[24] = frame[25] = 0;
            Frames.Big16(NaiveChecksum.Of(frame.Slice(14, header))).CopyTo(frame[24..]);
        }
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
