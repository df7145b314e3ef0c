using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Skep.DataPlane.Balancing.Configuration;
using Skep.DataPlane.Control;
using Skep.V1;

namespace Skep.DataPlane.Tests.Control;

public sealed class Tables_of_the_contracts
{
    private const string Full = """
        { "version": "4", "denied": ["203.0.113.9"], "hash_seed": "77", "services": [
          { "name": "dns", "address": "2001:db8:f::1", "port": 53, "protocol": "UDP", "mode": "DSR",
            "backends": [ { "address": "2001:db8:b::2", "port": 53, "weight": 3, "drain": true } ],
            "health_check": { "kind": "HTTP", "port": 8053, "path": "/ready", "interval": "0.500s", "timeout": "0.200s", "fall": 4, "rise": 5 } } ] }
        """;

    [Fact]
    public void What_is_read_is_written_again()
    {
        DataPlaneTable table = JsonParser.Default.Parse<DataPlaneTable>(Full);
        Assert.Equal(table, TableWriting.Of(TableReading.Of(table)));
    }

    [Fact]
    public void What_is_left_out_is_what_one_would_expect()
    {
        var (service, check) = TableReading.Of(new DataPlaneTable { Services = { Web(s => s.HealthCheck = new HealthCheck()) } }).Services.Single();
        Assert.Equal((BalanceMode.Nat, 80, 1, BackendState.Active), (service.Mode, service.Backends[0].Port, service.Backends[0].Weight, service.Backends[0].State));
        Assert.Equal((TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(1), 3, 2), (check!.Interval, check.Timeout, check.Fall, check.Rise));
    }

    public static TheoryData<string, VirtualService> Wrong => new()
    {
        { "has no name", Web(static s => s.Name = "") },
        { "port 70000: expected 1 to 65535", Web(static s => s.Port = 70_000) },
        { "'nowhere' is no IP address", Web(static s => s.Address = "nowhere") },
        { "backend 'nobody' of service 'web'", Web(static s => s.Backends[0].Address = "nobody") },
        { "interval 0.01 s: expected 0.1 to 3600 s", Web(static s => s.HealthCheck = new() { Interval = Duration.FromTimeSpan(TimeSpan.FromMilliseconds(10)) }) },
        { "fall 1000: expected 1 to 100", Web(static s => s.HealthCheck = new() { Fall = 1_000 }) },
        { "path 'ready'", Web(static s => s.HealthCheck = new() { Kind = HealthCheck.Types.Kind.Http, Path = "ready" }) },
        { "give the health check a port", Web(static s => (s.Protocol, s.HealthCheck) = (VirtualService.Types.Protocol.Udp, new())) },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public void What_cannot_be_is_refused_by_name(string expected, VirtualService service) =>
        Assert.Contains(expected, Assert.Throws<BalancerConfigException>(() => TableReading.Of(new DataPlaneTable { Services = { service } })).Message, StringComparison.Ordinal);

    [Fact]
    public void A_reason_for_a_drop_is_told_in_words() => Assert.Equal("next-hop-unknown", StatsWriting.WordOf(Skep.DataPlane.Balancing.Pipeline.DropReason.NextHopUnknown));

    private static VirtualService Web(Action<VirtualService> change)
    {
        var service = new VirtualService { Name = "web", Address = "198.51.100.1", Port = 80, Backends = { new VirtualBackend { Address = "10.0.1.1" } } };
        change(service);
        return service;
    }
}
