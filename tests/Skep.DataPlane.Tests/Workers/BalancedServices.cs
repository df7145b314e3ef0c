using Skep.DataPlane.Balancing.Configuration;
using Skep.DataPlane.Packets;

namespace Skep.DataPlane.Tests.Workers;

/// <summary>What <see cref="BalancedNet"/> balances: a service of either family over both backends.</summary>
internal static class BalancedServices
{
    public static BalancerConfig Config(ushort port, ushort backendPort)
    {
        ServiceConfig Service(string name, string vip, params string[] backends) =>
            new(name, IpAddr.Parse(vip), port, IpProtocol.Tcp, BalanceMode.Nat, [.. backends.Select(b => new BackendConfig(IpAddr.Parse(b), backendPort))]);
        return new BalancerConfig
        {
            Interfaces =
            [
                new([LinkAddress.Parse("192.0.2.1/24"), LinkAddress.Parse("2001:db8:c::1/64")]),
                new([LinkAddress.Parse("10.1.0.1/24"), LinkAddress.Parse("2001:db8:b1::1/64")]),
                new([LinkAddress.Parse("10.2.0.1/24"), LinkAddress.Parse("2001:db8:b2::1/64")]),
            ],
            Services =
            [
                Service("four", "198.51.100.1", "10.1.0.2", "10.2.0.2"),
                Service("six", "2001:db8:f::1", "2001:db8:b1::2", "2001:db8:b2::2"),
            ],
        };
    }
}
