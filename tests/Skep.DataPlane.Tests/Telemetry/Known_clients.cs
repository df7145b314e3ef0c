using Skep.DataPlane.Balancing.Configuration;
using Skep.DataPlane.Packets;
using Skep.DataPlane.Telemetry;

namespace Skep.DataPlane.Tests.Telemetry;

public sealed class Known_clients
{
    private static readonly ServiceKey Web = new(Rig.Vip4, 80, IpProtocol.Tcp);

    [Fact]
    public void A_client_counts_once_it_has_shown_that_its_address_is_its_own()
    {
        using var rig = new Rig(Rig.Config(Rig.Service(BalanceMode.Nat, 2)));
        rig.Send(1000, TcpFlags.Syn);
        Assert.Equal(0, rig.Clients.Of(Web).Count());
        rig.Send(1000, TcpFlags.Ack);
        rig.Send(1001, TcpFlags.Syn);
        rig.Send(1001, TcpFlags.Ack);
        Assert.Equal((1L, 1L), (rig.Clients.Of(Web).Count(), rig.Clients.Read().Count));
        Assert.Equal([(Rig.Client4, rig.Time.GetUtcNow())], rig.Clients.Read().Last);
    }

    [Fact]
    public void Of_udp_the_first_packet_counts()
    {
        using var rig = new Rig(Rig.Config(Rig.Service(BalanceMode.Nat, 2, IpProtocol.Udp)));
        rig.ToBack(Frames.Frame(Frames.Udp(Rig.Client4, 1000, Rig.Vip4, 80)));
        Assert.Equal(1, rig.Clients.Of(new ServiceKey(Rig.Vip4, 80, IpProtocol.Udp)).Count());
    }

    [Fact]
    public void Many_clients_are_told_apart_within_the_error_and_the_newest_stand_first()
    {
        using var rig = new Rig(Rig.Config(Rig.Service(BalanceMode.Nat, 2)));
        const int clients = 3_000;
        for (int i = 0; i < clients; i++)
        {
            IpAddr client = IpAddr.V4(0xC0000300 + (uint)i);
            rig.Send(1000, TcpFlags.Syn, client);
            rig.Send(1000, TcpFlags.Ack, client);
        }
        // Five standard errors, and of the filter one in a hundred.
        Assert.InRange(rig.Clients.Of(Web).Count(), clients * 0.95, clients * 1.05);
        Assert.InRange(rig.Clients.Read().Count, clients * 0.97, clients);
        Assert.Equal(64, rig.Clients.Read().Last.Count);
        Assert.InRange(rig.Clients.Read().Last[0].Client.V4Bits, 0xC0000300 + (uint)clients - 20, 0xC0000300 + (uint)clients - 1);
    }

    [Fact]
    public void A_service_that_goes_takes_its_clients_with_it()
    {
        using var rig = new Rig(Rig.Config(Rig.Service(BalanceMode.Nat, 2)));
        rig.Send(1000, TcpFlags.Syn);
        rig.Send(1000, TcpFlags.Ack);
        rig.Clients.Keep(new HashSet<ServiceKey> { Web });
        Assert.Equal(1, rig.Clients.Of(Web).Count());
        rig.Clients.Keep(new HashSet<ServiceKey>());
        Assert.Equal(0, rig.Clients.Of(Web).Count());
    }
}
