using Google.Protobuf.WellKnownTypes;
using Skep.DataPlane.Balancing.Configuration;
using Skep.DataPlane.Engine;
using Skep.DataPlane.Health;
using Skep.DataPlane.Packets;
using Skep.V1;

namespace Skep.DataPlane.Control;

/// <summary>The engine's table as the contracts say it.</summary>
internal static class TableWriting
{
    public static DataPlaneTable Of(WantedTable wanted)
    {
        var table = new DataPlaneTable { Version = wanted.Version, HashSeed = wanted.HashSeed, Denied = { wanted.Denied.Select(static d => d.ToString()) } };
        foreach ((ServiceConfig s, HealthCheckConfig? check) in wanted.Services)
        {
            table.Services.Add(new VirtualService
            {
                Name = s.Name,
                Address = s.Address.ToString(),
                Port = s.Port,
                Protocol = ProtocolOf(s),
                Mode = ModeOf(s),
                HealthCheck = check is null ? null : CheckOf(check),
                Backends = { s.Backends.Select(static b => new VirtualBackend { Address = b.Address.ToString(), Port = b.Port, Weight = (uint)b.Weight, Drain = b.State == BackendState.Draining }) },
            });
        }
        return table;
    }

    public static VirtualService.Types.Protocol ProtocolOf(ServiceConfig s) => s.Protocol == IpProtocol.Udp ? VirtualService.Types.Protocol.Udp : VirtualService.Types.Protocol.Tcp;

    public static VirtualService.Types.Mode ModeOf(ServiceConfig s) => s.Mode == BalanceMode.Dsr ? VirtualService.Types.Mode.Dsr : VirtualService.Types.Mode.Nat;

    private static HealthCheck CheckOf(HealthCheckConfig c) => new()
    {
        Kind = c.Kind == HealthCheckKind.Http ? HealthCheck.Types.Kind.Http : HealthCheck.Types.Kind.Tcp,
        Port = c.Port,
        Path = c.Kind == HealthCheckKind.Http ? c.Path : "",
        Interval = Duration.FromTimeSpan(c.Interval),
        Timeout = Duration.FromTimeSpan(c.Timeout),
        Fall = (uint)c.Fall,
        Rise = (uint)c.Rise,
    };
}
