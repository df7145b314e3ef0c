using Skep.DataPlane.Balancing.Configuration;
using Skep.DataPlane.Packets;

namespace Skep.DataPlane.Tests.Balancing;

public sealed class Configurations
{
    private static string Refused(BalancerConfig config) => Assert.Throws<BalancerConfigException>(() => BalancerTable.Build(config)).Message;

    [Fact]
    public void What_cannot_be_is_refused_with_what_is_wrong()
    {
        ServiceConfig service = Rig.Service(BalanceMode.Nat, 2);
        Assert.Contains("prime", Refused(Rig.Config(service) with { TableSize = 1000 }), StringComparison.Ordinal);
        Assert.Contains("protocol 1", Refused(Rig.Config(service with { Protocol = 1 })), StringComparison.Ordinal);
        Assert.Contains("other IP version", Refused(Rig.Config(service with { Backends = [new BackendConfig(Rig.Backend6(1), 80)] })), StringComparison.Ordinal);
        Assert.Contains("mode nat", Refused(Rig.Config(service with { Mode = BalanceMode.Dsr })), StringComparison.Ordinal);
        Assert.Contains("behind a gateway", Refused(Rig.Config(service with { Mode = BalanceMode.Dsr, Backends = [new BackendConfig(IpAddr.Parse("203.0.113.1"), 80)] })), StringComparison.Ordinal);
        Assert.Contains("no link", Refused(Rig.Config(Rig.Service(BalanceMode.Nat, 0, v6: true) with { Backends = [new BackendConfig(IpAddr.Parse("2001:db8:ff::1"), 80)] })), StringComparison.Ordinal);
        Assert.Contains("twice", Refused(Rig.Config(service with { Backends = [service.Backends[0], service.Backends[0]] })), StringComparison.Ordinal);
        Assert.Contains("same address", Refused(Rig.Config(service, service)), StringComparison.Ordinal);
        Assert.Contains("weight", Refused(Rig.Config(service with { Backends = [service.Backends[0] with { Weight = -1 }] })), StringComparison.Ordinal);
        Assert.Contains("gateway", Refused(Rig.Config() with { Interfaces = [new InterfaceConfig([]) { GatewayV4 = Rig.Client4 }] }), StringComparison.Ordinal);
    }

    [Fact]
    public void A_refused_configuration_leaves_the_one_before_in_force()
    {
        using var rig = new Rig(Rig.Config(Rig.Service(BalanceMode.Nat, 2)));
        BalancerTable before = rig.Tables.Current;
        Assert.Throws<BalancerConfigException>(() => rig.Tables.Replace(Rig.Config() with { TableSize = 4 }));
        Assert.Throws<BalancerConfigException>(() => rig.Tables.Replace(Rig.Config() with { Interfaces = [] }));
        Assert.Same(before, rig.Tables.Current);
    }
}
