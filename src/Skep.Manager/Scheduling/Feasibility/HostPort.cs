using Docker.Swarmkit.V1;

namespace Skep.Manager.Scheduling;

/// <summary>A port of a host that a task takes for itself.</summary>
internal readonly record struct HostPort(PortConfig.Types.Protocol Protocol, uint Port)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Port}/{Protocol.ToString().ToLowerInvariant()}";

    /// <summary>The host-mode ports a task holds on its node. A port that is not fixed yet holds nothing.</summary>
    public static HostPort[] Of(SwarmTask task)
    {
        List<HostPort>? ports = null;
        foreach (PortConfig port in PublishedBy(task))
        {
            if (port.PublishMode == PortConfig.Types.PublishMode.Host && port.PublishedPort != 0)
            {
                (ports ??= []).Add(new(port.Protocol, port.PublishedPort));
            }
        }
        return ports is null ? [] : [.. ports];
    }

    /// <summary>The ports a task publishes: the allocated ones, or before that the ones asked for.</summary>
    public static IReadOnlyList<PortConfig> PublishedBy(SwarmTask task) => task.Endpoint switch
    {
        null => [],
        { Ports.Count: > 0 } endpoint => endpoint.Ports,
        { } endpoint => endpoint.Spec?.Ports ?? (IReadOnlyList<PortConfig>)[],
    };
}
