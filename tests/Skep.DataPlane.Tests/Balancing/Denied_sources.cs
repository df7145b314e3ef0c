using Skep.DataPlane.Balancing.Configuration;
using Skep.DataPlane.Balancing.Pipeline;
using Skep.DataPlane.Packets;

namespace Skep.DataPlane.Tests.Balancing;

public sealed class Denied_sources
{
    [Fact]
    public void A_denied_source_reaches_neither_a_backend_nor_the_kernel()
    {
        using var rig = new Rig(Rig.Config(Rig.Service(BalanceMode.Nat, 2)) with { Denied = [Rig.Client4] }, kernel: true);
        Assert.Null(rig.Send(1000));
        rig.ToBack(Frames.Frame(Frames.Tcp(Rig.Client4, 1000, IpAddr.Parse("192.0.2.1"), 22, TcpFlags.Syn)));
        Assert.Null(rig.Kernel!.Take());
        Assert.Equal(2, rig.Worker.Counters.Dropped(DropReason.Denied));
        Assert.NotNull(rig.Send(1000, client: IpAddr.Parse("192.0.2.78")));
    }

    [Fact]
    public void Nobody_is_dropped_for_a_collision_in_the_filter()
    {
        IpAddr[] denied = [.. Enumerable.Range(0, 50_000).Select(i => IpAddr.V4(0x0B000000 + (uint)i))];
        DenyList list = DenyList.Of(denied)!;
        Assert.All(denied, d => Assert.True(list.Contains(d)));
        Assert.All(Enumerable.Range(0, 200_000), i => Assert.False(list.Contains(IpAddr.V4(0x0C000000 + (uint)i))));
        Assert.False(list.Contains(IpAddr.Parse("2001:db8::1")));
    }

    [Fact]
    public void The_list_is_taken_away_with_the_next_table()
    {
        BalancerConfig config = Rig.Config(Rig.Service(BalanceMode.Nat, 2));
        using var rig = new Rig(config with { Denied = [Rig.Client4] });
        rig.Tables.Replace(config);
        Assert.NotNull(rig.Send(1000));
    }
}
