using Microsoft.Extensions.Logging;
using Skep.DataPlane.Balancing.Configuration;
using Skep.DataPlane.Health;
using Skep.DataPlane.Telemetry;

namespace Skep.DataPlane.Engine;

/// <summary>Keeps the table in force in line with what is wanted and with which backends are well.</summary>
internal sealed class TableKeeper : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly IReadOnlyList<InterfaceConfig> _interfaces;
    private readonly TableTelemetry _telemetry;
    private readonly HealthChecker _health;
    private readonly ILogger _logger;
    private int _refreshing;

    /// <param name="interfaces">The ports' places in the network.</param>
    /// <param name="telemetry">Who counts.</param>
    /// <param name="time">The clock of health checks.</param>
    /// <param name="logger">Told when backends go down and come up.</param>
    /// <exception cref="BalancerConfigException">The interfaces cannot be.</exception>
    public TableKeeper(IReadOnlyList<InterfaceConfig> interfaces, TableTelemetry telemetry, TimeProvider time, ILogger logger)
    {
        (_interfaces, _telemetry, _logger, _health) = (interfaces, telemetry, logger, new HealthChecker(time));
        _health.Changed += OnHealthChanged;
        Tables = new TableSource(Config(WantedTable.Empty), telemetry);
    }

    /// <summary>What workers balance by.</summary>
    public TableSource Tables { get; }

    /// <summary>What was handed over last.</summary>
    public WantedTable Wanted { get; private set; } = WantedTable.Empty;

    /// <summary>Puts a table in force.</summary>
    /// <returns>Its version.</returns>
    /// <exception cref="BalancerConfigException">It cannot be, or a newer one is in force; nothing was changed.</exception>
    public ulong Apply(WantedTable wanted)
    {
        lock (_gate)
        {
            if (wanted.Version == 0)
            {
                wanted = wanted with { Version = Wanted.Version + 1 };
            }
            else if (wanted.Version <= Wanted.Version)
            {
                throw new StaleTableException($"table {wanted.Version} is not newer than table {Wanted.Version}, which is in force: give it a higher version, or version 0 for the next");
            }
            Tables.Replace(Config(wanted));
            Wanted = wanted;
            _telemetry.Clients.Keep(wanted.Services.Select(s => new ServiceKey(s.Service.Address, s.Service.Port, s.Service.Protocol)).ToHashSet());
            if (_health.Watch(wanted.Checks()))
            {
                // Looked at otherwise, a backend that was down is taken for up until it is known.
                Tables.Replace(Config(wanted));
            }
            int backends = wanted.Services.Sum(static s => s.Service.Backends.Count);
            DataPlaneLog.Applied(_logger, wanted.Version, wanted.Services.Count, backends);
            return wanted.Version;
        }
    }

    /// <summary>What is believed of a backend; null where nobody looks at it.</summary>
    public (bool IsUp, bool IsUnknown, string Why)? HealthOf(BackendKey backend) => _health.Of(backend);

    public ValueTask DisposeAsync() => _health.DisposeAsync();

    private BalancerConfig Config(WantedTable wanted) => new()
    {
        Interfaces = _interfaces,
        Services = wanted.With(b => _health.Of(b) is { IsUp: false }),
        Denied = wanted.Denied,
        HashSeed = wanted.HashSeed,
    };

    private void OnHealthChanged(BackendKey backend, BackendHealth health)
    {
        if (health.IsUp)
        {
            DataPlaneLog.Up(_logger, backend.Address, backend.Port);
        }
        else
        {
            DataPlaneLog.Down(_logger, backend.Address, backend.Port, health.Why);
        }
        // Where many fall at once, whoever comes while a table is about to be made is in it.
        if (Interlocked.Exchange(ref _refreshing, 1) != 0)
        {
            return;
        }
        lock (_gate)
        {
            Volatile.Write(ref _refreshing, 0);
            Tables.Replace(Config(Wanted));
        }
    }
}

/// <summary>A table that is older than the one in force.</summary>
public sealed class StaleTableException(string message) : Exception(message);
