using System.Buffers.Binary;
using Skep.DataPlane.Balancing.Configuration;
using Skep.DataPlane.Balancing.Pipeline;
using Skep.DataPlane.Packets;

namespace Skep.DataPlane.Tests.Balancing;

/// <summary>Packets that are longer than the link they should leave by lets pass.</summary>
public sealed class Narrower_links
{
    private const int Mtu = 1300;
    private static readonly byte[] Much = new byte[1400];

    public static TheoryData<bool, BalanceMode> Ways => new() { { false, BalanceMode.Nat }, { true, BalanceMode.Nat }, { false, BalanceMode.Dsr }, { true, BalanceMode.Dsr } };

    [Theory]
    [MemberData(nameof(Ways))]
    public void A_client_is_told_by_the_service_what_fits(bool v6, BalanceMode mode)
    {
        using var rig = new Rig(Rig.Config(Rig.Service(mode, 2, v6: v6)), backMtu: Mtu);
        byte[] sent = Unfragmented(Frames.Tcp(v6 ? Rig.Client6 : Rig.Client4, 1000, v6 ? Rig.Vip6 : Rig.Vip4, 80, TcpFlags.Ack, Much));
        byte[]? told = rig.Through(rig.Front, Frames.Frame(sent), rig.Front);
        Check(rig, told, v6 ? Rig.Vip6 : Rig.Vip4, v6 ? Rig.Client6 : Rig.Client4, sent, v6);
        Assert.Equal((Frames.Client, Rig.FrontMac), (MacAddress.Read(told), MacAddress.Read(told.AsSpan(6))));
        Assert.Null(rig.Back.Take());
        Assert.Equal(0, rig.Worker.Counters.Forwarded);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_backend_is_told_by_the_client_what_fits(bool v6)
    {
        using var rig = new Rig(Rig.Config(Rig.Service(BalanceMode.Nat, 1, v6: v6)), frontMtu: Mtu);
        IpAddr client = v6 ? Rig.Client6 : Rig.Client4, backend = v6 ? Rig.Backend6(1) : Rig.Backend4(1);
        rig.ToBack(Frames.Frame(Frames.Tcp(client, 1000, v6 ? Rig.Vip6 : Rig.Vip4, 80, TcpFlags.Syn)));
        byte[] sent = Unfragmented(Frames.Tcp(backend, 8080, client, 1000, TcpFlags.Ack, Much));
        Check(rig, rig.Through(rig.Back, Frames.Frame(sent, Rig.MacOf(backend), Rig.BackMac), rig.Back), client, backend, sent, v6);
        Assert.Null(rig.Front.Take());
    }

    [Fact]
    public void A_tag_stays_and_does_not_count()
    {
        using var rig = new Rig(Rig.Config(Rig.Service(BalanceMode.Nat, 2)), backMtu: Mtu);
        byte[] fits = Unfragmented(Frames.Tcp(Rig.Client4, 1000, Rig.Vip4, 80, TcpFlags.Ack, new byte[Mtu - 40]));
        Assert.NotNull(rig.ToBack(Frames.Frame(fits, vlans: 7)));
        byte[] sent = Unfragmented(Frames.Tcp(Rig.Client4, 1000, Rig.Vip4, 80, TcpFlags.Ack, new byte[Mtu - 39]));
        byte[]? told = rig.Through(rig.Front, Frames.Frame(sent, vlans: 7), rig.Front);
        Check(rig, told, Rig.Vip4, Rig.Client4, sent, v6: false);
        Assert.Equal(7, Rig.Headers(told!).VlanTag);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Options_and_headers_before_the_transports_are_quoted_too(bool v6)
    {
        using var rig = new Rig(Rig.Config(Rig.Service(BalanceMode.Nat, 2, IpProtocol.Udp, v6)), backMtu: Mtu);
        (IpAddr client, IpAddr service) = v6 ? (Rig.Client6, Rig.Vip6) : (Rig.Client4, Rig.Vip4);
        byte[] udp = Frames.UdpSegment(client, 1000, service, 80, Much);
        // Padding alone, in each.
        byte[] sent = v6
            ? Frames.V6(client, service, 0, [IpProtocol.Udp, 0, 1, 4, 0, 0, 0, 0, .. udp])
            : Frames.V4(client, service, IpProtocol.Udp, udp, options: [1, 1, 1, 1, 1, 1, 1, 0], fragment: 0x4000);
        Check(rig, rig.Through(rig.Front, Frames.Frame(sent), rig.Front), service, client, sent, v6);
    }

    [Fact]
    public void A_later_fragment_is_counted_and_not_sent()
    {
        using var rig = new Rig(Rig.Config(Rig.Service(BalanceMode.Dsr, 2, IpProtocol.Udp)), backMtu: Mtu);
        byte[] udp = Frames.UdpSegment(Rig.Client4, 1000, Rig.Vip4, 80, new byte[2_600]);
        Assert.NotNull(rig.ToBack(Frames.Frame(Frames.V4(Rig.Client4, Rig.Vip4, IpProtocol.Udp, udp[..1_200], id: 9, fragment: 0x2000))));
        Assert.Null(rig.ToBack(Frames.Frame(Frames.V4(Rig.Client4, Rig.Vip4, IpProtocol.Udp, udp[1_200..2_500], id: 9, fragment: 1_200 / 8))));
        Assert.Equal(1, rig.Worker.Counters.Dropped(DropReason.TooBig));
    }

    [Fact]
    public void Whoever_allows_fragments_is_not_told_and_the_packet_is_counted()
    {
        using var rig = new Rig(Rig.Config(Rig.Service(BalanceMode.Nat, 2)), backMtu: Mtu);
        Assert.Null(rig.Through(rig.Front, Frames.Frame(Frames.Tcp(Rig.Client4, 1000, Rig.Vip4, 80, TcpFlags.Ack, Much)), rig.Front));
        Assert.Equal((1, 0), (rig.Worker.Counters.Dropped(DropReason.TooBig), rig.Worker.Counters.IcmpErrors));
    }

    [Fact]
    public void No_more_than_one_is_told_in_a_millisecond()
    {
        using var rig = new Rig(Rig.Config(Rig.Service(BalanceMode.Nat, 2)), backMtu: Mtu);
        byte[] sent = Frames.Frame(Unfragmented(Frames.Tcp(Rig.Client4, 1000, Rig.Vip4, 80, TcpFlags.Ack, Much)));
        Assert.NotNull(rig.Through(rig.Front, sent, rig.Front));
        Assert.Null(rig.Through(rig.Front, sent, rig.Front));
        rig.Time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.NotNull(rig.Through(rig.Front, sent, rig.Front));
        Assert.Equal((3, 2), (rig.Worker.Counters.Dropped(DropReason.TooBig), rig.Worker.Counters.IcmpErrors));
    }

    [Fact]
    public void A_packet_too_short_to_be_quoted_is_only_counted()
    {
        using var rig = new Rig(Rig.Config(Rig.Service(BalanceMode.Nat, 2)), backMtu: 30);
        Assert.Null(rig.Through(rig.Front, Frames.Frame(Unfragmented(Frames.Tcp(Rig.Client4, 1000, Rig.Vip4, 80, TcpFlags.Ack))), rig.Front));
        Assert.Equal(1, rig.Worker.Counters.Dropped(DropReason.TooBig));
    }

    private static void Check(Rig rig, byte[]? told, IpAddr from, IpAddr to, byte[] about, bool v6)
    {
        Assert.NotNull(told);
        PacketHeaders h = Rig.Headers(told);
        Assert.Equal((from, to), (h.Source, h.Destination));
        Assert.Equal(v6 ? (2, 0) : (3, 4), (h.MessageType, h.MessageCode));
        Assert.True(Rewriter.IsIcmpIntact(told, h));
        Assert.Equal((uint)Mtu, BinaryPrimitives.ReadUInt32BigEndian(told.AsSpan(h.TransportOffset + 4)));
        Assert.Equal(told.Length, h.End);
        Assert.Equal(about.AsSpan(0, (v6 ? 1280 - 48 : 576 - 28)), told.AsSpan(h.TransportOffset + 8));
        Assert.True(v6 || Checksum.Of(told.AsSpan(h.NetworkOffset, 20)) == 0);
        Assert.Equal((1, 1), (rig.Worker.Counters.Dropped(DropReason.TooBig), rig.Worker.Counters.IcmpErrors));
    }

    // As TCP sends: its senders want to be told.
    private static byte[] Unfragmented(byte[] ip)
    {
        if (ip[0] >> 4 == 4)
        {
            ip[6] |= 0x40;
            BinaryPrimitives.WriteUInt16BigEndian(ip.AsSpan(10), 0);
            BinaryPrimitives.WriteUInt16BigEndian(ip.AsSpan(10), Checksum.Of(ip.AsSpan(0, (ip[0] & 0x0F) * 4)));
        }
        return ip;
    }
}
