using Google.Protobuf.WellKnownTypes;
using Skep.DataPlane.Balancing.Configuration;
using Skep.DataPlane.Engine;
using Skep.DataPlane.Health;
using Skep.DataPlane.Packets;
using Skep.V1;

namespace Skep.DataPlane.Control;

/// <summary>A table of the contracts as the engine takes it.</summary>
internal static class TableReading
{
    private const int MaxServices = 10_000;
    private static readonly TimeSpan ShortestInterval = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestInterval = TimeSpan.FromHours(1);

    /// <summary>Reads it.</summary>
    /// <exception cref="BalancerConfigException">It cannot be; the message names what is wrong and how to mend it.</exception>
    public static WantedTable Of(DataPlaneTable table)
    {
        if (table.Services.Count > MaxServices)
        {
            throw new BalancerConfigException($"{table.Services.Count} services: {MaxServices} at most");
        }
        return new WantedTable(table.Version, [.. table.Services.Select(ServiceOf)], [.. table.Denied.Select(static d => Address(d, "a denied source")).Distinct()], table.HashSeed);
    }

    private static (ServiceConfig, HealthCheckConfig?) ServiceOf(VirtualService s)
    {
        string name = s.Name.Length > 0 ? s.Name : throw new BalancerConfigException($"the service at '{s.Address}' port {s.Port} has no name");
        ushort port = Port(s.Port, $"service '{name}'");
        var service = new ServiceConfig(
            name,
            Address(s.Address, $"service '{name}'"),
            port,
            s.Protocol == VirtualService.Types.Protocol.Udp ? IpProtocol.Udp : IpProtocol.Tcp,
            s.Mode == VirtualService.Types.Mode.Dsr ? BalanceMode.Dsr : BalanceMode.Nat,
            [.. s.Backends.Select(b => BackendOf(b, name, port))]);
        HealthCheckConfig? check = s.HealthCheck is null ? null : CheckOf(s.HealthCheck, name);
        return service.Protocol == IpProtocol.Udp && check is { Port: 0 }
            ? throw new BalancerConfigException($"service '{name}': nothing that answers TCP is known of a backend of UDP; give the health check a port")
            : (service, check);
    }

    private static BackendConfig BackendOf(VirtualBackend b, string service, ushort servicePort)
    {
        string which = $"backend '{b.Address}' of service '{service}'";
        return new BackendConfig(Address(b.Address, which), b.Port == 0 ? servicePort : Port(b.Port, which))
        {
            Weight = b.HasWeight ? (int)Math.Min(b.Weight, int.MaxValue) : 1,
            State = b.Drain ? BackendState.Draining : BackendState.Active,
        };
    }

    private static HealthCheckConfig CheckOf(HealthCheck c, string service)
    {
        string which = $"the health check of service '{service}'";
        TimeSpan interval = Time(c.Interval, TimeSpan.FromSeconds(2), which, "interval"), timeout = Time(c.Timeout, TimeSpan.FromSeconds(1), which, "timeout");
        string path = c.Path.Length == 0 ? "/" : c.Path;
        if (path[0] != '/' || path.Any(static ch => ch is <= ' ' or > '~'))
        {
            throw new BalancerConfigException($"{which} asks for path '{path}': expected one that begins with / and has no blanks");
        }
        return new HealthCheckConfig(
            c.Kind == HealthCheck.Types.Kind.Http ? HealthCheckKind.Http : HealthCheckKind.Tcp,
            c.Port == 0 ? (ushort)0 : Port(c.Port, which),
            path,
            interval,
            timeout,
            Times(c.Fall, 3, which, "fall"),
            Times(c.Rise, 2, which, "rise"));
    }

    private static TimeSpan Time(Duration? given, TimeSpan otherwise, string which, string what)
    {
        TimeSpan time;
        try
        {
            time = given?.ToTimeSpan() ?? otherwise;
        }
        catch (InvalidOperationException)
        {
            throw new BalancerConfigException($"{which} has an {what} that is no duration");
        }
        return time >= ShortestInterval && time <= LongestInterval
            ? time
            : throw new BalancerConfigException($"{which} has {what} {time.TotalSeconds} s: expected {ShortestInterval.TotalSeconds} to {LongestInterval.TotalSeconds} s");
    }

    private static int Times(uint given, int otherwise, string which, string what) => given <= 100
        ? given == 0 ? otherwise : (int)given
        : throw new BalancerConfigException($"{which} has {what} {given}: expected 1 to 100");

    private static ushort Port(uint port, string which) => port is > 0 and <= ushort.MaxValue
        ? (ushort)port
        : throw new BalancerConfigException($"{which} has port {port}: expected 1 to 65535");

    private static IpAddr Address(string text, string which)
    {
        try
        {
            return IpAddr.Parse(text);
        }
        catch (FormatException e)
        {
            throw new BalancerConfigException($"{which}: {e.Message}");
        }
    }
}
