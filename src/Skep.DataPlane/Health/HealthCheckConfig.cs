namespace Skep.DataPlane.Health;

/// <summary>What shows that a backend is well.</summary>
internal enum HealthCheckKind
{
    /// <summary>It takes a connection.</summary>
    Tcp,

    /// <summary>It answers GET with 2xx or 3xx.</summary>
    Http,
}

/// <summary>How the backends of a service are looked at.</summary>
/// <param name="Kind">What shows that one is well.</param>
/// <param name="Port">Where; 0 for the backend's own port.</param>
/// <param name="Path">What HTTP asks for.</param>
/// <param name="Interval">Between two looks.</param>
/// <param name="Timeout">A look that takes longer has failed.</param>
/// <param name="Fall">Failures in a row until it is down.</param>
/// <param name="Rise">Successes in a row until it is up again.</param>
internal sealed record HealthCheckConfig(HealthCheckKind Kind, ushort Port, string Path, TimeSpan Interval, TimeSpan Timeout, int Fall, int Rise);
