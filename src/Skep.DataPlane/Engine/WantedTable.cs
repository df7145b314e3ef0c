using Skep.DataPlane.Balancing.Configuration;
using Skep.DataPlane.Health;
using Skep.DataPlane.Packets;

namespace Skep.DataPlane.Engine;

/// <summary>A table as it was handed over, before it is known how its backends fare.</summary>
/// <param name="Version">Higher than that of the one before.</param>
/// <param name="Services">With the check of each, where it has one.</param>
/// <param name="Denied">Sources whose packets are dropped.</param>
/// <param name="HashSeed">Of the hashes that choose backends.</param>
internal sealed record WantedTable(ulong Version, IReadOnlyList<(ServiceConfig Service, HealthCheckConfig? Check)> Services, IReadOnlyCollection<IpAddr> Denied, ulong HashSeed)
{
    public static readonly WantedTable Empty = new(0, [], [], 0);

    /// <summary>Which backends are looked at, and how.</summary>
    public Dictionary<BackendKey, HealthCheckConfig> Checks() => Services.Where(static s => s.Check is not null)
        .SelectMany(static s => s.Service.Backends, static (s, b) => (Key: KeyOf(s.Service, b), Check: s.Check!))
        .ToDictionary(static c => c.Key, static c => c.Check);

    /// <summary>The services with those backends down that are believed to be.</summary>
    public IReadOnlyList<ServiceConfig> With(Func<BackendKey, bool> isDown) =>
        [.. Services.Select(s => s.Service with { Backends = [.. s.Service.Backends.Select(b => isDown(KeyOf(s.Service, b)) ? b with { State = BackendState.Down } : b)] })];

    public static BackendKey KeyOf(ServiceConfig s, BackendConfig b) => new(s.Address, s.Port, s.Protocol, b.Address, b.Port);
}
