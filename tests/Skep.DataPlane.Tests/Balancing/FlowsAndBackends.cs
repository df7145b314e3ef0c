using Skep.DataPlane.Balancing.Configuration;
using Skep.DataPlane.Balancing.Flows;
using Skep.DataPlane.Balancing.Pipeline;
using Skep.DataPlane.Packets;

namespace Skep.DataPlane.Tests.Balancing;

public sealed class FlowsAndBackends
{
    private static ServiceConfig With(ServiceConfig service, IpAddr backend, Func<BackendConfig, BackendConfig> change) =>
        service with { Backends = [.. service.Backends.Select(b => b.Address == backend ? change(b) : b)] };

    [Fact]
    public void A_flow_stays_with_its_backend_when_others_come_and_go()
    {
        ServiceConfig service = Rig.Service(BalanceMode.Nat, 5);
        using var rig = new Rig(Rig.Config(service));
        var before = Enumerable.Range(1000, 200).ToDictionary(p => (ushort)p, p => rig.Send((ushort)p, TcpFlags.Syn));
        rig.Tables.Replace(Rig.Config(Rig.Service(BalanceMode.Nat, 9)));
        rig.LearnAll();
        Assert.All(before, f => Assert.Equal(f.Value, rig.Send(f.Key)));
        rig.Tables.Replace(Rig.Config(service with { Backends = [.. service.Backends.Skip(1)] }));
        Assert.All(before.Where(f => f.Value != Rig.Backend4(1)), f => Assert.Equal(f.Value, rig.Send(f.Key)));
        Assert.All(before.Where(f => f.Value == Rig.Backend4(1)), f => Assert.NotEqual(f.Value, rig.Send(f.Key)));
    }

    [Fact]
    public void A_draining_backend_keeps_its_flows_and_gets_no_new_ones()
    {
        ServiceConfig service = Rig.Service(BalanceMode.Nat, 2);
        using var rig = new Rig(Rig.Config(service));
        var before = Enumerable.Range(1000, 50).ToDictionary(p => (ushort)p, p => rig.Send((ushort)p, TcpFlags.Syn));
        foreach (var change in (Func<BackendConfig, BackendConfig>[])[b => b with { State = BackendState.Draining }, b => b with { Weight = 0 }])
        {
            rig.Tables.Replace(Rig.Config(With(service, Rig.Backend4(1), change)));
            Assert.All(before, f => Assert.Equal(f.Value, rig.Send(f.Key)));
            Assert.All(Enumerable.Range(2000, 50), p => Assert.Equal(Rig.Backend4(2), rig.Send((ushort)p, TcpFlags.Syn)));
        }
    }

    [Fact]
    public void Only_a_dead_backends_flows_find_another()
    {
        ServiceConfig service = Rig.Service(BalanceMode.Nat, 4);
        using var rig = new Rig(Rig.Config(service));
        var before = Enumerable.Range(1000, 100).ToDictionary(p => (ushort)p, p => rig.Send((ushort)p, TcpFlags.Syn));
        rig.Tables.Replace(Rig.Config(With(service, Rig.Backend4(2), b => b with { State = BackendState.Down })));
        Assert.All(before, f =>
        {
            IpAddr? now = rig.Send(f.Key);
            Assert.Equal(f.Value != Rig.Backend4(2), f.Value == now);
            Assert.NotNull(now);
        });
    }

    [Fact]
    public void Without_a_backend_packets_are_dropped_and_said_so()
    {
        using var rig = new Rig(Rig.Config(Rig.Service(BalanceMode.Nat, 0)));
        Assert.Null(rig.Send(1000, TcpFlags.Syn));
        Assert.Equal(1, rig.Worker.Counters.Dropped(DropReason.NoBackend));
    }

    [Fact]
    public void A_backend_gets_a_place_that_nobodys_flows_point_to()
    {
        using var rig = new Rig(Rig.Config(Rig.Service(BalanceMode.Nat, 1)));
        Assert.Equal(Rig.Backend4(1), rig.Send(1000, TcpFlags.Syn));
        var other = Rig.Service(BalanceMode.Nat, 3);
        rig.Tables.Replace(Rig.Config(other with { Backends = [.. other.Backends.Skip(1)] }));
        rig.LearnAll();
        Assert.NotEqual(Rig.Backend4(1), rig.Send(1000));
    }

    [Fact]
    public void A_silent_flow_is_forgotten_after_the_time_of_its_state()
    {
        var limits = new FlowLimits { Capacity = 256 };
        using var rig = new Rig(Rig.Config(Rig.Service(BalanceMode.Nat, 2)), limits);
        rig.Send(1, TcpFlags.Syn);
        rig.Send(2, TcpFlags.Syn);
        rig.Send(2);
        rig.Send(3, TcpFlags.Syn);
        rig.Send(3);
        rig.Send(3, TcpFlags.Rst);
        Assert.Equal(3, rig.Worker.Flows);
        AdvanceAndSweep(rig, limits.EmbryonicMs);
        Assert.Equal(2, rig.Worker.Flows);
        AdvanceAndSweep(rig, limits.ClosingMs - limits.EmbryonicMs);
        Assert.Equal(1, rig.Worker.Flows);
        AdvanceAndSweep(rig, limits.TcpMs);
        Assert.Equal(0, rig.Worker.Flows);
    }

    [Fact]
    public void A_connection_closed_by_both_sides_is_closing_and_its_ports_may_open_another()
    {
        var limits = new FlowLimits { Capacity = 256 };
        using var rig = new Rig(Rig.Config(Rig.Service(BalanceMode.Nat, 1)), limits);
        rig.Send(7, TcpFlags.Syn);
        rig.Send(7);
        rig.Send(7, TcpFlags.Fin | TcpFlags.Ack);
        AdvanceAndSweep(rig, limits.ClosingMs);
        Assert.Equal(1, rig.Worker.Flows);
        rig.ToFront(Frames.Frame(Frames.Tcp(Rig.Backend4(1), 8080, Rig.Client4, 7, TcpFlags.Fin | TcpFlags.Ack), Rig.MacOf(Rig.Backend4(1)), Rig.BackMac));
        rig.Send(7, TcpFlags.Syn);
        rig.Send(7);
        AdvanceAndSweep(rig, limits.ClosingMs);
        Assert.Equal(1, rig.Worker.Flows);
    }

    [Fact]
    public void A_flood_of_SYNs_takes_a_bounded_share_and_pushes_out_its_own()
    {
        var limits = new FlowLimits { Capacity = 1024, MaxEmbryonic = 100 };
        using var rig = new Rig(Rig.Config(Rig.Service(BalanceMode.Nat, 4)), limits);
        for (ushort p = 1; p <= 50; p++)
        {
            rig.Send(p, TcpFlags.Syn);
            rig.Send(p);
        }
        for (uint i = 0; i < 5000; i++)
        {
            IpAddr forged = IpAddr.V4(0xC0000300 + i);
            IpAddr? first = rig.Send(9, TcpFlags.Syn, forged);
            Assert.NotNull(first);
            Assert.Equal(first, rig.Send(9, TcpFlags.Syn, forged));
        }
        Assert.InRange(rig.Worker.Flows, 51, 150);
        // Who was there before is still remembered: a change of backends does not move it.
        var before = Enumerable.Range(1, 50).ToDictionary(p => (ushort)p, p => rig.Send((ushort)p));
        rig.Tables.Replace(Rig.Config(Rig.Service(BalanceMode.Nat, 40)));
        rig.LearnAll();
        Assert.All(before, f => Assert.Equal(f.Value, rig.Send(f.Key)));
    }

    [Fact]
    public void Who_connects_amid_a_flood_is_remembered_and_hears_the_answer_also_without_a_gateway()
    {
        var limits = new FlowLimits { Capacity = 1024 };
        using var rig = new Rig(Rig.Config(Rig.Service(BalanceMode.Nat, 4)), limits);
        int answered = 0, kept = 0;
        const int clients = 200;
        uint forged = 0xC6336400;
        for (ushort p = 1; p <= clients; p++)
        {
            for (int i = 0; i < 20; i++)
            {
                rig.Send(9, TcpFlags.Syn, IpAddr.V4(forged++));
            }
            IpAddr backend = rig.Send(p, TcpFlags.Syn)!.Value;
            byte[]? answer = rig.ToFront(Frames.Frame(Frames.Tcp(backend, 8080, Rig.Client4, p, TcpFlags.Syn | TcpFlags.Ack), Rig.MacOf(backend), Rig.BackMac));
            if (answer is not null)
            {
                Assert.Equal(Frames.Client, MacAddress.Read(answer));
                rig.Send(p);
                answered++;
            }
        }
        // All but those in whose bucket there was no forged one: a quarter of the places are theirs.
        Assert.InRange(answered, clients * 9 / 10, clients);
        Assert.InRange(rig.Worker.Flows, answered, answered + 256);

        for (ushort p = 1; p <= clients; p++)
        {
            IpAddr? before = rig.Send(p);
            rig.Tables.Replace(Rig.Config(Rig.Service(BalanceMode.Nat, p % 2 == 0 ? 4 : 12)));
            rig.LearnAll();
            kept += rig.Send(p) == before ? 1 : 0;
        }
        Assert.InRange(kept, answered, clients);
    }

    [Fact]
    public void An_answer_whose_flow_is_not_remembered_comes_from_the_service_whose_hash_leads_there()
    {
        // Both hand on to the same ports of the same backends.
        ServiceConfig[] services = [Rig.Service(BalanceMode.Nat, 16, port: 80, backendPort: 8080), Rig.Service(BalanceMode.Nat, 16, port: 81, backendPort: 8080)];
        using var rig = new Rig(Rig.Config(services), new FlowLimits { Capacity = 64, MaxEmbryonic = 0 });
        var far = IpAddr.Parse("203.0.113.5");
        int right = 0;
        for (ushort p = 1; p <= 200; p++)
        {
            byte[] request = rig.ToBack(Frames.Frame(Frames.Tcp(far, p, Rig.Vip4, 81, TcpFlags.Syn)))!;
            IpAddr backend = Rig.Headers(request).Destination;
            byte[] answer = rig.ToFront(Frames.Frame(Frames.Tcp(backend, 8080, far, p, TcpFlags.Syn | TcpFlags.Ack), Rig.MacOf(backend), Rig.BackMac))!;
            right += Rig.Headers(answer).SourcePort == 81 ? 1 : 0;
        }
        Assert.Equal(0, rig.Worker.Flows);
        Assert.InRange(right, 160, 200);
    }

    [Fact]
    public void A_full_table_goes_on_serving()
    {
        using var rig = new Rig(Rig.Config(Rig.Service(BalanceMode.Nat, 4)), new FlowLimits { Capacity = 64, MaxEmbryonic = 64 });
        for (ushort p = 1; p <= 2000; p++)
        {
            IpAddr? first = rig.Send(p, TcpFlags.Syn);
            Assert.NotNull(first);
            Assert.Equal(first, rig.Send(p));
        }
        Assert.InRange(rig.Worker.Flows, 32, 64);
    }

    [Fact]
    public void No_packet_is_lost_to_a_thousand_changes_of_configuration_though_new_backends_have_not_said_their_address()
    {
        ServiceConfig service = Rig.Service(BalanceMode.Nat, 8);
        using var rig = new Rig(Rig.Config(service));
        for (int i = 0; i < 1000; i++)
        {
            int without = i % 8;
            rig.Tables.Replace(Rig.Config(service with { Backends = [.. service.Backends.Where((_, n) => n != without)] }));
            Assert.True(rig.Front.Inject(Frames.Frame(Frames.Tcp(Rig.Client4, (ushort)(1000 + i), Rig.Vip4, 80, TcpFlags.Syn))));
            rig.Worker.RunOnce();
            Assert.Equal(0, rig.Worker.Counters.Dropped(DropReason.NextHopUnknown));
            Drain(rig);
        }
    }

    private static void Drain(Rig rig)
    {
        while (rig.Front.Take() is not null || rig.Back.Take() is not null)
        {
        }
    }

    private static void AdvanceAndSweep(Rig rig, uint ms)
    {
        rig.Time.Advance(TimeSpan.FromMilliseconds(ms));
        rig.Worker.RunOnce();
        Drain(rig);
    }
}
