using Skep.DataPlane.Balancing.Configuration;
using Skep.DataPlane.Balancing.Pipeline;
using Skep.DataPlane.Packets;

namespace Skep.DataPlane.Tests.Balancing;

public sealed class LinksAndErrors
{
    private static byte[] Solicitation(IpAddr from, MacAddress mac, IpAddr target)
    {
        byte[] bytes = new byte[24];
        target.Write(bytes);
        bytes[16] = bytes[17] = 1;
        mac.Write(bytes.AsSpan(18));
        return Frames.Frame(Frames.Icmp(from, target, 135, 0, 0, bytes), mac);
    }

    [Fact]
    public void Arp_for_service_and_own_addresses_is_answered_and_for_others_not()
    {
        using var rig = new Rig(Rig.Config(Rig.Service(BalanceMode.Nat, 1)));
        foreach (IpAddr ours in (IpAddr[])[Rig.Vip4, IpAddr.Parse("192.0.2.1")])
        {
            byte[]? answer = rig.Through(rig.Front, Frames.Arp(1, Frames.Client, Rig.Client4, default, ours, MacAddress.Broadcast), rig.Front);
            Assert.Equal(Frames.Arp(2, Rig.FrontMac, ours, Frames.Client, Rig.Client4, Frames.Client), answer);
        }
        Assert.Null(rig.Through(rig.Front, Frames.Arp(1, Frames.Client, Rig.Client4, default, IpAddr.Parse("192.0.2.9"), MacAddress.Broadcast), rig.Front));
    }

    [Fact]
    public void Neighbour_solicitations_are_answered_and_forged_ones_from_afar_are_not()
    {
        using var rig = new Rig(Rig.Config(Rig.Service(BalanceMode.Nat, 1, v6: true)));
        byte[] question = Solicitation(Rig.Client6, Frames.Client, Rig.Vip6);
        byte[]? answer = rig.Through(rig.Front, question, rig.Front);
        Assert.NotNull(answer);
        Frames.AssertChecksums(answer);
        PacketHeaders h = Rig.Headers(answer);
        Assert.Equal((136, Rig.Vip6, Rig.Client6, 255), (h.MessageType, h.Source, h.Destination, h.Ttl));
        Assert.Equal((Rig.Vip6, Rig.FrontMac), (IpAddr.ReadV6(answer.AsSpan(h.TransportOffset + 8)), MacAddress.Read(answer.AsSpan(h.TransportOffset + 26))));
        question[21] = 64;
        Assert.Null(rig.Through(rig.Front, question, rig.Front));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Backends_are_asked_for_their_address_before_packets_can_pass(bool v6)
    {
        using var rig = new Rig(Rig.Config(Rig.Service(BalanceMode.Nat, 1, v6: v6)), learn: false);
        IpAddr backend = v6 ? Rig.Backend6(1) : Rig.Backend4(1);
        byte[] packet = Frames.Frame(Frames.Tcp(v6 ? Rig.Client6 : Rig.Client4, 1, v6 ? Rig.Vip6 : Rig.Vip4, 80, TcpFlags.Syn));
        byte[]? question = rig.ToBack(packet);
        Assert.NotNull(question);
        Assert.Equal(1, rig.Worker.Counters.Dropped(DropReason.NextHopUnknown));
        Frames.AssertChecksums(question);
        PacketHeaders asked = Rig.Headers(question);
        Assert.Equal(backend, v6 ? IpAddr.ReadV6(question.AsSpan(asked.TransportOffset + 8)) : asked.Destination);

        byte[] target = new byte[24];
        backend.Write(target);
        target[16] = 2;
        target[17] = 1;
        Rig.MacOf(backend).Write(target.AsSpan(18));
        rig.ToFront(v6
            ? Frames.Frame(Frames.Icmp(backend, asked.Source, 136, 0, 0x6000_0000, target), Rig.MacOf(backend), Rig.BackMac)
            : Frames.Arp(2, Rig.MacOf(backend), backend, Rig.BackMac, asked.Source, Rig.BackMac));
        byte[]? passed = rig.ToBack(packet);
        Assert.NotNull(passed);
        Assert.Equal(Rig.MacOf(backend), MacAddress.Read(passed));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_service_address_answers_ping(bool v6)
    {
        using var rig = new Rig(Rig.Config(Rig.Service(BalanceMode.Nat, 1, v6: v6)));
        (IpAddr client, IpAddr vip) = v6 ? (Rig.Client6, Rig.Vip6) : (Rig.Client4, Rig.Vip4);
        byte[]? answer = rig.Through(rig.Front, Frames.Frame(Frames.Icmp(client, vip, (byte)(v6 ? 128 : 8), 0, 0x00070001, [1, 2, 3])), rig.Front);
        Assert.Equal(Frames.Frame(Frames.Icmp(vip, client, (byte)(v6 ? 129 : 0), 0, 0x00070001, [1, 2, 3]), Rig.FrontMac, Frames.Client), answer);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_path_mtu_message_finds_the_backend_whose_answer_was_too_big(bool v6)
    {
        using var rig = new Rig(Rig.Config(Rig.Service(BalanceMode.Nat, 7, v6: v6)));
        (IpAddr client, IpAddr vip) = v6 ? (Rig.Client6, Rig.Vip6) : (Rig.Client4, Rig.Vip4);
        IpAddr router = v6 ? IpAddr.Parse("2001:db8:9::9") : IpAddr.Parse("203.0.113.9");
        for (ushort port = 1; port <= 40; port++)
        {
            IpAddr backend = Rig.Headers(rig.ToBack(Frames.Frame(Frames.Tcp(client, port, vip, 80, TcpFlags.Syn)))!).Destination;
            byte[] quoted = Frames.Tcp(vip, 80, client, port, TcpFlags.Ack, new byte[1000])[..(v6 ? 200 : 28)];
            byte[]? got = rig.ToBack(Frames.Frame(v6 ? Frames.Icmp(router, vip, 2, 0, 1280, quoted) : Frames.Icmp(router, vip, 3, 4, 1280, quoted)));
            Assert.NotNull(got);
            Frames.AssertChecksums(got);
            PacketHeaders h = Rig.Headers(got);
            Assert.Equal((router, backend, Rig.MacOf(backend)), (h.Source, h.Destination, MacAddress.Read(got)));
            Assert.Equal(PacketFault.None, PacketParser.ParseQuoted(got.AsSpan(0, h.End), h.PayloadOffset, v6, out PacketHeaders quote));
            Assert.Equal((backend, 8080, client, port), (quote.Source, quote.SourcePort, quote.Destination, quote.DestinationPort));
            if (!v6)
            {
                Assert.Equal(0, NaiveChecksum.Of(got.AsSpan(quote.NetworkOffset, 20)));
            }
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_backends_refusal_comes_to_the_client_as_the_services(bool v6)
    {
        using var rig = new Rig(Rig.Config(Rig.Service(BalanceMode.Nat, 1, IpProtocol.Udp, v6)));
        (IpAddr client, IpAddr vip, IpAddr backend) = v6 ? (Rig.Client6, Rig.Vip6, Rig.Backend6(1)) : (Rig.Client4, Rig.Vip4, Rig.Backend4(1));
        byte[] there = rig.ToBack(Frames.Frame(Frames.Udp(client, 9, vip, 80, [1, 2])))!;
        byte[] refusal = Frames.Icmp(backend, client, (byte)(v6 ? 1 : 3), (byte)(v6 ? 4 : 3), 0, there[14..]);
        byte[]? got = rig.ToFront(Frames.Frame(refusal, Rig.MacOf(backend), Rig.BackMac));
        Assert.NotNull(got);
        Frames.AssertChecksums(got);
        PacketHeaders h = Rig.Headers(got);
        Assert.Equal((vip, client, Frames.Client), (h.Source, h.Destination, MacAddress.Read(got)));
        PacketParser.ParseQuoted(got.AsSpan(0, h.End), h.PayloadOffset, v6, out PacketHeaders quote);
        Assert.Equal((client, 9, vip, 80), (quote.Source, quote.SourcePort, quote.Destination, quote.DestinationPort));
        Assert.Equal(0, NaiveChecksum.Transport(client, vip, IpProtocol.Udp, got.AsSpan(quote.TransportOffset, 10)));

        refusal[^1]++;
        Assert.Null(rig.ToFront(Frames.Frame(refusal, Rig.MacOf(backend), Rig.BackMac)));
        Assert.Equal(1, rig.Worker.Counters.Dropped(DropReason.BadChecksum));
    }

    [Fact]
    public void What_is_not_the_balancers_goes_to_the_kernel_as_it_came_and_back_again()
    {
        using var rig = new Rig(Rig.Config(Rig.Service(BalanceMode.Nat, 1)), kernel: true);
        byte[][] theirs =
        [
            Frames.Frame(Frames.Tcp(Rig.Client4, 1, IpAddr.Parse("192.0.2.1"), 22, TcpFlags.Syn)),
            Frames.Frame(Frames.Icmp(Rig.Client4, IpAddr.Parse("192.0.2.1"), 8, 0, 1, [1])),
            Frames.Arp(2, Frames.Client, Rig.Client4, Rig.FrontMac, IpAddr.Parse("192.0.2.1"), Rig.FrontMac),
            Frames.Ethernet(Frames.Client, MacAddress.Broadcast, 0x88CC, [1]),
        ];
        Assert.All(theirs, frame => Assert.Equal(frame, rig.Through(rig.Front, frame, rig.Kernel!)));
        byte[] answer = Frames.Frame(Frames.Tcp(IpAddr.Parse("192.0.2.1"), 22, Rig.Client4, 1, TcpFlags.Syn), Rig.FrontMac, Frames.Client);
        Assert.Equal(answer, rig.Through(rig.Kernel!, answer, rig.Front));
        Assert.Equal(4, rig.Worker.Counters.ToKernel);
    }
}
