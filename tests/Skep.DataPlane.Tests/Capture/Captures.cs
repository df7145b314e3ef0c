using Microsoft.Extensions.Time.Testing;
using Skep.DataPlane.Balancing.Configuration;
using Skep.DataPlane.Capture;
using Skep.DataPlane.Packets;
using Skep.DataPlane.Workers;

namespace Skep.DataPlane.Tests.Capture;

public sealed class Captures
{
    private static readonly byte[] Tcp = Frames.Frame(Frames.Tcp(Rig.Client4, 1000, Rig.Vip4, 80, TcpFlags.Ack));
    private static readonly byte[] Udp6 = Frames.Frame(Frames.Udp(Rig.Client6, 53, Rig.Vip6, 4000));
    private static readonly byte[] Other = Frames.Ethernet(Frames.Client, Frames.Us, 0x88CC, new byte[40]);

    public static TheoryData<string, bool, bool, bool> Filters => new()
    {
        { "all", true, true, true },
        { "host", true, false, false },
        { "port 53", false, true, false },
        { "port 80", true, false, false },
        { "udp", false, true, false },
        { "arp", false, false, false },
        { "interface 1", false, false, false },
    };

    [Theory]
    [MemberData(nameof(Filters))]
    public void A_filter_wants_what_it_names(string filter, bool tcp, bool udp, bool other)
    {
        CaptureFilter wanted = filter switch
        {
            "host" => new(Host: Rig.Client4),
            "port 53" => new(Port: 53),
            "port 80" => new(Port: 80),
            "udp" => new(Protocol: IpProtocol.Udp),
            "arp" => new(IsArp: true),
            "interface 1" => new(Interface: 1),
            _ => new(),
        };
        Assert.Equal((tcp, udp, other), (wanted.Wants(Tcp, 0), wanted.Wants(Udp6, 0), wanted.Wants(Other, 0)));
    }

    [Fact]
    public void Every_mutilated_frame_is_either_wanted_or_not()
    {
        var random = new Random(7);
        var filter = new CaptureFilter(Port: 80);
        for (int i = 0; i < 20_000; i++)
        {
            byte[] frame = [.. Tcp.Take(random.Next(Tcp.Length + 1))];
            if (frame.Length > 0)
            {
                frame[random.Next(frame.Length)] = (byte)random.Next(256);
            }
            filter.Wants(frame, 0);
        }
    }

    [Fact]
    public void A_packet_is_seen_as_it_comes_and_as_it_leaves()
    {
        using var rig = new Rig(Rig.Config(Rig.Service(BalanceMode.Nat, 1)));
        using var tap = new CaptureTap(new CaptureFilter(), 2_000, rig.Time);
        IBalancerWorker worker = rig.Worker;
        worker.CaptureBy(tap);
        rig.ToBack(Tcp);
        worker.CaptureBy(null);
        rig.ToBack(Tcp);

        Assert.True(tap.TryRead(out Captured came) && tap.TryRead(out Captured left) && !tap.TryRead(out _));
        Assert.Equal((0, false, Tcp.Length), (came.Port, came.IsOutgoing, came.Length));
        Assert.Equal(Tcp, came.Bytes);
        Assert.True(tap.TryRead(out _) is false);
        Assert.Equal((came.UnixNs, 0L), ((rig.Time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks * 100, came.LostBefore));
    }

    [Fact]
    public void Frames_are_cut_off_and_a_slow_reader_is_told_what_it_missed()
    {
        using var tap = new CaptureTap(new CaptureFilter(), 20, new FakeTimeProvider());
        for (int i = 0; i < 5_000; i++)
        {
            tap.See(Tcp, 0, outgoing: false);
        }
        int read = 0;
        for (; tap.TryRead(out Captured frame); read++)
        {
            Assert.Equal((20, Tcp.Length, 0L), (frame.Bytes.Length, frame.Length, frame.LostBefore));
        }
        tap.See(Tcp, 0, outgoing: false);
        Assert.True(tap.TryRead(out Captured last));
        Assert.Equal(5_000, read + last.LostBefore);
    }
}
