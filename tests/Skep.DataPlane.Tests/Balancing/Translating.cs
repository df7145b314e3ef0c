using CsCheck;
using Skep.DataPlane.Balancing.Configuration;
using Skep.DataPlane.Balancing.Pipeline;
using Skep.DataPlane.Packets;

namespace Skep.DataPlane.Tests.Balancing;

public sealed class Translating
{
    [Theory]
    [InlineData(false, IpProtocol.Tcp)]
    [InlineData(true, IpProtocol.Tcp)]
    [InlineData(false, IpProtocol.Udp)]
    [InlineData(true, IpProtocol.Udp)]
    public void Nat_keeps_the_client_and_brings_the_answer_back_as_the_services(bool v6, byte protocol)
    {
        using var rig = new Rig(Rig.Config(Rig.Service(BalanceMode.Nat, 3, protocol, v6)));
        (IpAddr client, IpAddr vip) = v6 ? (Rig.Client6, Rig.Vip6) : (Rig.Client4, Rig.Vip4);
        byte[] Packet(IpAddr from, ushort fromPort, IpAddr to, ushort toPort, byte[] payload) => protocol == IpProtocol.Tcp
            ? Frames.Tcp(from, fromPort, to, toPort, TcpFlags.Ack, payload)
            : Frames.Udp(from, fromPort, to, toPort, payload);

        Gen.Select(Gen.UShort, Gen.Byte.Array[0, 64]).Sample((clientPort, payload) =>
        {
            byte[]? there = rig.ToBack(Frames.Frame(Packet(client, clientPort, vip, 80, payload)));
            Assert.NotNull(there);
            Frames.AssertChecksums(there);
            PacketHeaders h = Rig.Headers(there);
            Assert.Equal((client, clientPort, 8080, 63), (h.Source, h.SourcePort, h.DestinationPort, h.Ttl));
            Assert.Equal((Rig.MacOf(h.Destination), Rig.BackMac), (MacAddress.Read(there), MacAddress.Read(there.AsSpan(6))));
            Assert.Equal(payload, there[h.PayloadOffset..h.End]);

            byte[]? back = rig.ToFront(Frames.Frame(Packet(h.Destination, 8080, client, clientPort, payload), Rig.MacOf(h.Destination), Rig.BackMac));
            Assert.NotNull(back);
            Frames.AssertChecksums(back);
            PacketHeaders b = Rig.Headers(back);
            Assert.Equal((vip, 80, client, clientPort), (b.Source, b.SourcePort, b.Destination, b.DestinationPort));
            Assert.Equal((Frames.Client, Rig.FrontMac), (MacAddress.Read(back), MacAddress.Read(back.AsSpan(6))));
        }, iter: 200, threads: 1);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Dsr_changes_the_link_and_nothing_else(bool v6)
    {
        using var rig = new Rig(Rig.Config(Rig.Service(BalanceMode.Dsr, 3, v6: v6)));
        byte[] sent = Frames.Frame(Frames.Tcp(v6 ? Rig.Client6 : Rig.Client4, 4000, v6 ? Rig.Vip6 : Rig.Vip4, 80, TcpFlags.Syn), null, null, 42);
        byte[]? got = rig.ToBack(sent);
        Assert.NotNull(got);
        Assert.Equal(sent[12..], got[12..]);
        Assert.Equal(Rig.BackMac, MacAddress.Read(got.AsSpan(6)));
        Assert.Contains(MacAddress.Read(got), Enumerable.Range(1, 3).Select(n => Rig.MacOf(v6 ? Rig.Backend6(n) : Rig.Backend4(n))));
    }

    [Fact]
    public void A_udp_packet_without_checksum_gets_none()
    {
        using var rig = new Rig(Rig.Config(Rig.Service(BalanceMode.Nat, 1, IpProtocol.Udp)));
        byte[] frame = Frames.Frame(Frames.Udp(Rig.Client4, 5, Rig.Vip4, 80, [1]));
        frame[40] = frame[41] = 0;
        byte[]? got = rig.ToBack(frame);
        Assert.Equal([0, 0], got![40..42]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Later_fragments_follow_the_first_both_ways(bool v6)
    {
        using var rig = new Rig(Rig.Config(Rig.Service(BalanceMode.Nat, 5, IpProtocol.Udp, v6)));
        (IpAddr client, IpAddr vip) = v6 ? (Rig.Client6, Rig.Vip6) : (Rig.Client4, Rig.Vip4);
        byte[] udp = Frames.UdpSegment(client, 7, vip, 80, new byte[40]);
        byte[] Part(IpAddr from, IpAddr to, byte[] bytes, bool first) => v6
            ? Frames.V6(from, to, IpProtocol.Fragment, [IpProtocol.Udp, 0, 0, (byte)(first ? 1 : 16), 0, 0, 0, 9, .. bytes])
            : Frames.V4(from, to, IpProtocol.Udp, bytes, id: 9, fragment: (ushort)(first ? 0x2000 : 2));

        Assert.Null(rig.ToBack(Frames.Frame(Part(client, vip, udp[16..], false))));
        Assert.Equal(1, rig.Worker.Counters.Dropped(DropReason.FragmentUnknown));
        byte[] first = rig.ToBack(Frames.Frame(Part(client, vip, udp[..16], true)))!;
        byte[] later = rig.ToBack(Frames.Frame(Part(client, vip, udp[16..], false)))!;
        IpAddr backend = Rig.Headers(first).Destination;
        Assert.Equal(backend, Rig.Headers(later).Destination);
        Assert.Equal(Rig.MacOf(backend), MacAddress.Read(later));
        Frames.AssertChecksums(later);
        // Put together again, the datagram is whole and its checksum right.
        byte[] whole = [.. first[Rig.Headers(first).TransportOffset..], .. later[Rig.Headers(later).TransportOffset..]];
        Assert.Equal(0, NaiveChecksum.Transport(client, backend, IpProtocol.Udp, whole));

        byte[] answer = Frames.UdpSegment(backend, 8080, client, 7, new byte[40]);
        byte[] back1 = rig.ToFront(Frames.Frame(Part(backend, client, answer[..16], true), Rig.MacOf(backend), Rig.BackMac))!;
        byte[] back2 = rig.ToFront(Frames.Frame(Part(backend, client, answer[16..], false), Rig.MacOf(backend), Rig.BackMac))!;
        Assert.Equal((vip, vip), (Rig.Headers(back1).Source, Rig.Headers(back2).Source));
        byte[] wholeBack = [.. back1[Rig.Headers(back1).TransportOffset..], .. back2[Rig.Headers(back2).TransportOffset..]];
        Assert.Equal(0, NaiveChecksum.Transport(vip, client, IpProtocol.Udp, wholeBack));
    }

    [Fact]
    public void Two_services_may_share_a_backend_and_its_answers_find_the_right_one()
    {
        ServiceConfig http = Rig.Service(BalanceMode.Nat, 1), alt = Rig.Service(BalanceMode.Nat, 1, port: 81) with { Name = "alt" };
        using var rig = new Rig(Rig.Config(http, alt));
        foreach (ushort port in (ushort[])[80, 81])
        {
            ushort clientPort = (ushort)(5000 + port);
            Assert.NotNull(rig.ToBack(Frames.Frame(Frames.Tcp(Rig.Client4, clientPort, Rig.Vip4, port, TcpFlags.Syn))));
            byte[]? back = rig.ToFront(Frames.Frame(Frames.Tcp(Rig.Backend4(1), 8080, Rig.Client4, clientPort, TcpFlags.Syn | TcpFlags.Ack), Rig.MacOf(Rig.Backend4(1)), Rig.BackMac));
            Assert.Equal(port, Rig.Headers(back!).SourcePort);
        }
    }

    [Fact]
    public void Packets_that_must_not_pass_are_dropped_and_counted_by_reason()
    {
        using var rig = new Rig(Rig.Config(Rig.Service(BalanceMode.Nat, 1)));
        byte[] good = Frames.Frame(Frames.Tcp(Rig.Client4, 1, Rig.Vip4, 80, TcpFlags.Syn));
        byte[] damaged = [.. good];
        damaged[16 + 10]++;
        Assert.Null(rig.ToBack(damaged));
        Assert.Null(rig.ToBack(Frames.Frame(Frames.Tcp(Rig.Client4, 1, Rig.Vip4, 80, TcpFlags.Syn, ttl: 1))));
        Assert.Null(rig.ToBack(Frames.Frame(Frames.Tcp(Rig.Client4, 1, Rig.Vip4, 80, TcpFlags.Syn), null, Rig.BackMac)));
        Assert.Null(rig.ToBack(good[..40]));
        Assert.Null(rig.ToBack(Frames.Frame(Frames.Tcp(Rig.Client4, 1, Rig.Vip4, 99, TcpFlags.Syn))));
        var c = rig.Worker.Counters;
        Assert.Equal((1, 1, 1, 1, 1), (c.Dropped(DropReason.BadChecksum), c.Dropped(DropReason.TtlExpired), c.Dropped(DropReason.OtherStation),
            c.Dropped(DropReason.Malformed), c.Dropped(DropReason.NoKernel)));
        Assert.NotNull(rig.ToBack(good));
    }
}
