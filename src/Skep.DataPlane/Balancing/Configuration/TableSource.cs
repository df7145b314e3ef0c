namespace Skep.DataPlane.Balancing.Configuration;

/// <summary>The table that is in force: one reference, exchanged while packets flow. Workers read it once a burst.</summary>
public sealed class TableSource
{
    private readonly Lock _writing = new();
    private readonly TableTelemetry? _telemetry;
    private BalancerTable _current;

    /// <summary>Starts with a configuration.</summary>
    /// <exception cref="BalancerConfigException">It cannot be.</exception>
    public TableSource(BalancerConfig config) : this(config, telemetry: null)
    {
    }

    internal TableSource(BalancerConfig config, TableTelemetry? telemetry) =>
        (_telemetry, _current) = (telemetry, BalancerTable.Build(config, previous: null, telemetry));

    /// <summary>The table in force.</summary>
    public BalancerTable Current => Volatile.Read(ref _current);

    /// <summary>Puts a configuration in force; the next burst of each worker sees it.</summary>
    /// <exception cref="BalancerConfigException">It cannot be, and the one before stays in force.</exception>
    public void Replace(BalancerConfig config)
    {
        lock (_writing)
        {
            BalancerTable previous = Current;
            if (previous.Config.Interfaces.Count != config.Interfaces.Count)
            {
                throw new BalancerConfigException($"the configuration has {config.Interfaces.Count} interfaces where the worker has {previous.Config.Interfaces.Count} ports: start it anew to change them");
            }
            Volatile.Write(ref _current, BalancerTable.Build(config, previous, _telemetry));
        }
    }
}
