using System.Globalization;
using Docker.Swarmkit.V1;
using Engine = Docker.DotNet.Models;

namespace Skep.Agent.Executors.Docker;

/// <summary>Ports in host mode, which the engine publishes. Those in ingress mode are the node's own to carry.</summary>
internal static class ContainerPorts
{
    public static Dictionary<string, Engine.EmptyStruct>? Exposed(SwarmTask task)
    {
        var ports = HostMode(task).Select(Key).Distinct().ToDictionary(p => p, _ => default(Engine.EmptyStruct));
        return ports.Count > 0 ? ports : null;
    }

    public static Dictionary<string, IList<Engine.PortBinding>>? Bindings(SwarmTask task)
    {
        var ports = new Dictionary<string, IList<Engine.PortBinding>>();
        foreach (var port in HostMode(task))
        {
            if (!ports.TryGetValue(Key(port), out var bindings))
            {
                ports[Key(port)] = bindings = [];
            }

            bindings.Add(new Engine.PortBinding { HostPort = port.PublishedPort == 0 ? "" : port.PublishedPort.ToString(CultureInfo.InvariantCulture) });
        }

        return ports.Count > 0 ? ports : null;
    }

    /// <summary>What the engine has published; null when it is nothing.</summary>
    public static PortStatus? Status(Engine.ContainerInspectResponse container)
    {
        var status = new PortStatus();
        foreach (var (key, bindings) in container.NetworkSettings?.Ports ?? new Dictionary<string, IList<Engine.PortBinding>>())
        {
            var parts = key.Split('/');
            if (parts.Length != 2 || !uint.TryParse(parts[0], CultureInfo.InvariantCulture, out var target)
                || !Enum.TryParse<PortConfig.Types.Protocol>(parts[1], ignoreCase: true, out var protocol))
            {
                continue;
            }

            // Once for IPv4 and once for IPv6.
            foreach (var published in (bindings ?? []).Select(b => b.HostPort).Distinct())
            {
                if (uint.TryParse(published, CultureInfo.InvariantCulture, out var port))
                {
                    status.Ports.Add(new PortConfig
                    {
                        Protocol = protocol,
                        TargetPort = target,
                        PublishedPort = port,
                        PublishMode = PortConfig.Types.PublishMode.Host,
                    });
                }
            }
        }

        return status.Ports.Count > 0 ? status : null;
    }

    private static IEnumerable<PortConfig> HostMode(SwarmTask task) =>
        task.Endpoint?.Ports.Where(p => p.PublishMode == PortConfig.Types.PublishMode.Host) ?? [];

    private static string Key(PortConfig port) => $"{port.TargetPort}/{port.Protocol.ToString().ToLowerInvariant()}";
}
