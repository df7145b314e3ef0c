using Docker.Swarmkit.V1;
using Google.Protobuf.Collections;
using static Docker.Swarmkit.V1.PortConfig.Types;

namespace Skep.Manager.Allocation;

/// <summary>Joins the ports a service asks for with those it has. Pure.</summary>
internal static class PublishedPorts
{
    /// <summary>Whether the ports a service has are those its spec asks for.</summary>
    public static bool AreAllocated(Service service) =>
        Match(service.Spec?.Endpoint?.Ports ?? [], service.Endpoint?.Ports ?? []) is { } had && had.All(p => p is not null)
        && had.Count == (service.Endpoint?.Ports.Count ?? 0);

    /// <summary>Frees what a service had and takes what its spec asks for; a port chosen for it before is kept.</summary>
    /// <param name="table">Who has what.</param>
    /// <param name="service">The service.</param>
    /// <param name="nameOf">Names a service by its id.</param>
    /// <param name="error">Why it cannot have one of them, in SwarmKit's words.</param>
    /// <returns>The ports, in the order of the spec; null with an error, and then nothing is held.</returns>
    public static List<PortConfig>? Allocate(PortTable table, Service service, Func<string, string> nameOf, out string? error)
    {
        RepeatedField<PortConfig> asked = service.Spec?.Endpoint?.Ports ?? [];
        List<PortConfig?> had = Match(asked, service.Endpoint?.Ports ?? []);
        table.Free(service.Id);
        var ports = new PortConfig[asked.Count];
        // Named ports come first, so that no dynamic one gets in their way.
        for (int i = 0; i < asked.Count; i++)
        {
            ports[i] = asked[i].Clone();
            if (asked[i].PublishMode == PublishMode.Host)
            {
                if (asked[i].PublishedPort != 0)
                {
                    table.NoteHostPort(service.Id, asked[i].PublishedPort);
                }
            }
            else if (asked[i].PublishedPort != 0 && !table.TryTake(service.Id, asked[i].Protocol, asked[i].PublishedPort))
            {
                string holder = table.HolderOf(asked[i].Protocol, asked[i].PublishedPort)!;
                table.Free(service.Id);
                error = holder == service.Id
                    ? $"port '{asked[i].PublishedPort}' is published twice by the service; publish each port once"
                    : $"port '{asked[i].PublishedPort}' is already in use by service '{nameOf(holder)}' ({holder}) as an ingress port";
                return null;
            }
        }
        for (int i = 0; i < asked.Count; i++)
        {
            if (asked[i].PublishMode == PublishMode.Host || asked[i].PublishedPort != 0)
            {
                continue;
            }
            uint? port = had[i] is { PublishedPort: > 0 } kept && table.TryTake(service.Id, kept.Protocol, kept.PublishedPort)
                ? kept.PublishedPort
                : table.TakeDynamic(service.Id, asked[i].Protocol);
            if (port is null)
            {
                table.Free(service.Id);
                error = $"no port from {PortTable.FirstDynamic} to {PortTable.LastDynamic} is free; name a published port";
                return null;
            }
            ports[i].PublishedPort = port.Value;
        }
        error = null;
        return [.. ports];
    }

    /// <summary>Holds the ports a service has been given.</summary>
    public static void Hold(PortTable table, Service service)
    {
        table.Free(service.Id);
        foreach (PortConfig port in service.Endpoint?.Ports ?? [])
        {
            if (port.PublishMode == PublishMode.Host)
            {
                if (port.PublishedPort != 0)
                {
                    table.NoteHostPort(service.Id, port.PublishedPort);
                }
            }
            else if (port.PublishedPort != 0)
            {
                table.TryTake(service.Id, port.Protocol, port.PublishedPort);
            }
        }
    }

    // For each port asked for the one it has become; null where there is none yet. A named port wants just that number.
    private static List<PortConfig?> Match(IReadOnlyList<PortConfig> asked, IReadOnlyList<PortConfig> have)
    {
        var left = new List<PortConfig>(have);
        var result = new PortConfig?[asked.Count];
        for (int pass = 0; pass < 2; pass++)
        {
            for (int i = 0; i < asked.Count; i++)
            {
                PortConfig wanted = asked[i];
                bool exact = wanted.PublishedPort != 0 || wanted.PublishMode == PublishMode.Host;
                if (exact != (pass == 0))
                {
                    continue;
                }
                result[i] = left.Find(p => p.Name == wanted.Name && p.Protocol == wanted.Protocol && p.TargetPort == wanted.TargetPort && p.PublishMode == wanted.PublishMode
                    && (exact ? p.PublishedPort == wanted.PublishedPort : p.PublishedPort != 0));
                if (result[i] is { } found)
                {
                    left.Remove(found);
                }
            }
        }
        return [.. result];
    }
}
