using static Docker.Swarmkit.V1.PortConfig.Types;

namespace Skep.Manager.Allocation;

/// <summary>
/// Which service has which published port. An ingress port is one service's on all nodes; who names none gets one from 30000
/// to 32767 that nobody uses in any protocol (range: moby/swarmkit manager/allocator/cnmallocator/portallocator.go). Pure.
/// </summary>
internal sealed class PortTable
{
    /// <summary>The first port given to those who name none.</summary>
    public const uint FirstDynamic = 30_000;

    /// <summary>The last.</summary>
    public const uint LastDynamic = 32_767;

    private readonly Dictionary<(Protocol Protocol, uint Port), string> holders = [];
    private readonly Dictionary<uint, int> uses = [];
    private readonly Dictionary<string, List<(Protocol Protocol, uint Port)>> ingressOf = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<uint>> hostOf = new(StringComparer.Ordinal);
    private uint next = FirstDynamic;

    /// <summary>The service that has an ingress port, or null.</summary>
    public string? HolderOf(Protocol protocol, uint port) => holders.GetValueOrDefault((protocol, port));

    /// <summary>Takes an ingress port for a service.</summary>
    /// <returns>False when another service has it, or this one twice.</returns>
    public bool TryTake(string serviceId, Protocol protocol, uint port)
    {
        if (!holders.TryAdd((protocol, port), serviceId))
        {
            return false;
        }
        Count(port, 1);
        ListOf(ingressOf, serviceId).Add((protocol, port));
        if (port == next)
        {
            Advance();
        }
        return true;
    }

    /// <summary>Takes a free port; one after the other, so that a freed one is not given again at once.</summary>
    /// <returns>Null when all are in use.</returns>
    public uint? TakeDynamic(string serviceId, Protocol protocol)
    {
        for (uint tried = 0; tried <= LastDynamic - FirstDynamic; tried++)
        {
            uint port = next;
            Advance();
            if (!uses.ContainsKey(port) && TryTake(serviceId, protocol, port))
            {
                return port;
            }
        }
        return null;
    }

    /// <summary>Notes a port that a service takes on hosts, so that it is not given to another as an ingress port.</summary>
    public void NoteHostPort(string serviceId, uint port)
    {
        Count(port, 1);
        ListOf(hostOf, serviceId).Add(port);
    }

    /// <summary>Frees all ports of a service.</summary>
    public bool Free(string serviceId)
    {
        bool any = false;
        if (ingressOf.Remove(serviceId, out List<(Protocol Protocol, uint Port)>? ingress))
        {
            any = ingress.Count > 0;
            foreach ((Protocol Protocol, uint Port) port in ingress)
            {
                holders.Remove(port);
                Count(port.Port, -1);
            }
        }
        if (hostOf.Remove(serviceId, out List<uint>? host))
        {
            foreach (uint port in host)
            {
                Count(port, -1);
            }
        }
        return any;
    }

    private static List<T> ListOf<T>(Dictionary<string, List<T>> lists, string serviceId)
    {
        if (!lists.TryGetValue(serviceId, out List<T>? list))
        {
            lists[serviceId] = list = [];
        }
        return list;
    }

    private void Count(uint port, int by)
    {
        int count = uses.GetValueOrDefault(port) + by;
        if (count == 0)
        {
            uses.Remove(port);
        }
        else
        {
            uses[port] = count;
        }
    }

    private void Advance() => next = next == LastDynamic ? FirstDynamic : next + 1;
}
