using Docker.Swarmkit.V1;
using Google.Protobuf.Collections;
using Skep.Store;

namespace Skep.Manager.Allocation;

/// <summary>
/// Gives networks their subnets, services their ports and virtual addresses, tasks their addresses and the step from NEW to
/// PENDING. Fed with what changes in the store, asked for what to write. Pure; it has neither clock nor store.
/// </summary>
/// <remarks>
/// A service with ingress ports gets no address on an ingress network, since Skep's nodes relay those ports themselves. Nodes
/// get addresses only where Docker's agent asks for them.
/// </remarks>
internal sealed class AllocatorCore
{
    private readonly PortTable ports = new();
    private readonly NetworkTable networks = new();
    private readonly NodeNetworks nodeNetworks = new();
    private readonly Dictionary<string, List<(string NetworkId, string Address)>> addresses = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Service> services = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Network> waitingNetworks = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Service> waitingServices = new(StringComparer.Ordinal);
    private readonly Dictionary<string, SwarmTask> waitingTasks = new(StringComparer.Ordinal);

    /// <summary>Everything there is at the start: what is given out is held before anything new is given.</summary>
    public static AllocatorCore From(IStoreView view)
    {
        var core = new AllocatorCore();
        foreach (Cluster cluster in view.List<Cluster>())
        {
            core.networks.Configure(cluster);
        }
        foreach (Network network in view.List<Network>())
        {
            core.Put(network);
        }
        foreach (Service service in view.List<Service>())
        {
            core.Put(service);
        }
        foreach (Node node in view.List<Node>())
        {
            core.Put(node);
        }
        foreach (SwarmTask task in view.List<SwarmTask>())
        {
            core.Put(task);
        }
        return core;
    }

    /// <summary>Takes note of a change.</summary>
    /// <returns>Whether there may be something to allocate now.</returns>
    public bool Note(StoreChange change)
    {
        bool gone = change.Kind == StoreChangeKind.Remove;
        switch (change.Object)
        {
            case Cluster cluster when !gone:
                networks.Configure(cluster);
                break;
            case Network network when gone:
                waitingNetworks.Remove(network.Id);
                networks.Free(network.Id);
                break;
            case Network network:
                Put(network);
                break;
            case Service service when gone:
                services.Remove(service.Id);
                waitingServices.Remove(service.Id);
                ports.Free(service.Id);
                FreeAddresses(service.Id);
                break;
            case Service service:
                Put(service);
                break;
            case Node node when gone:
                nodeNetworks.Remove(node.Id);
                FreeAddresses(node.Id);
                break;
            case Node node:
                Put(node);
                break;
            case SwarmTask task when gone:
                waitingTasks.Remove(task.Id);
                nodeNetworks.RemoveTask(task.Id);
                return FreeAddresses(task.Id) && IsWaiting;
            case SwarmTask task:
                return (Put(task) || nodeNetworks.Changed.Count > 0) && IsWaiting;
            default:
                return false;
        }
        return IsWaiting;
    }

    private bool IsWaiting => waitingNetworks.Count + waitingServices.Count + waitingTasks.Count + nodeNetworks.Changed.Count > 0;

    /// <summary>
    /// All that can be allocated now, in the order it must be written in: networks, services, tasks, nodes. It is held at once; see
    /// <see cref="TakeBack"/>.
    /// </summary>
    public List<Allocation> Decide()
    {
        var result = new List<Allocation>();
        var refusals = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (Network network in waitingNetworks.Values.ToList())
        {
            if (networks.Allocate(network, out string? error) is { } allocated)
            {
                waitingNetworks.Remove(network.Id);
                result.Add(new NetworkAllocation(network, allocated));
            }
            else
            {
                refusals[network.Id] = $"network {network.Spec.Annotations.Name}: {error}";
            }
        }
        foreach (Service service in waitingServices.Values.ToList())
        {
            if (Allocate(service, refusals, out string? error) is { } allocation)
            {
                waitingServices.Remove(service.Id);
                result.Add(allocation);
            }
            else
            {
                // What it was given before its tasks still use.
                Put(service);
                refusals[service.Id] = error!;
            }
        }
        foreach (SwarmTask task in waitingTasks.Values.ToList())
        {
            if (Allocate(task, refusals) is { } allocation)
            {
                result.Add(allocation);
            }
        }
        foreach ((Node node, HashSet<string> wanted) in nodeNetworks.TakeChanged())
        {
            if (Allocate(node, wanted) is { } allocation)
            {
                result.Add(allocation);
            }
        }
        return result;
    }

    /// <summary>An allocation was not written, since its object changed meanwhile: what it held is free, and it waits again.</summary>
    public void TakeBack(Allocation allocation)
    {
        switch (allocation)
        {
            case NetworkAllocation a:
                networks.Free(a.Seen.Id);
                Put(a.Seen);
                break;
            case ServiceAllocation a:
                Put(a.Seen);
                break;
            case NodeAllocation a:
                Put(a.Seen);
                break;
            case TaskAllocation a:
                FreeAddresses(a.Seen.Id);
                Put(a.Seen);
                break;
        }
    }

    private static RepeatedField<NetworkAttachmentConfig> NetworksOf(TaskSpec? spec, Service? service) =>
        spec?.Networks is { Count: > 0 } own ? own
#pragma warning disable CS0612 // old clients still put the networks there
        : service?.Spec?.Networks ?? [];
#pragma warning restore CS0612

    private static bool HasVirtualIps(Service service) => service.Spec?.Endpoint?.Mode is null or EndpointSpec.Types.ResolutionMode.Vip;

    private void Put(Network network)
    {
        waitingNetworks.Remove(network.Id);
        if (NetworkTable.IsAllocated(network))
        {
            networks.Hold(network);
        }
        else
        {
            waitingNetworks[network.Id] = network;
        }
    }

    private void Put(Service service)
    {
        services[service.Id] = service;
        PublishedPorts.Hold(ports, service);
        FreeAddresses(service.Id);
        foreach (Endpoint.Types.VirtualIP vip in service.Endpoint?.VirtualIps ?? [])
        {
            HoldAddress(service.Id, vip.NetworkId, vip.Addr);
        }
        waitingServices.Remove(service.Id);
        if (!IsAllocated(service))
        {
            waitingServices[service.Id] = service;
        }
    }

    private void Put(Node node)
    {
        nodeNetworks.Put(node);
        FreeAddresses(node.Id);
        foreach (NetworkAttachment attachment in node.Attachments)
        {
            foreach (string address in attachment.Addresses)
            {
                HoldAddress(node.Id, attachment.Network?.Id ?? "", address);
            }
        }
    }

    private bool Put(SwarmTask task)
    {
        TaskState state = task.Status?.State ?? TaskState.New;
        waitingTasks.Remove(task.Id);
        if (state == TaskState.New)
        {
            waitingTasks[task.Id] = task;
            return true;
        }
        if (state > TaskState.Running)
        {
            nodeNetworks.RemoveTask(task.Id);
            return FreeAddresses(task.Id);
        }
        if (state >= TaskState.Assigned)
        {
            nodeNetworks.Put(task);
        }
        if (!addresses.ContainsKey(task.Id))
        {
            foreach (NetworkAttachment attachment in task.Networks)
            {
                foreach (string address in attachment.Addresses)
                {
                    HoldAddress(task.Id, attachment.Network?.Id ?? "", address);
                }
            }
        }
        return false;
    }

    private bool IsAllocated(Service service)
    {
        if (!PublishedPorts.AreAllocated(service) || !Equals(service.Endpoint?.Spec ?? new(), service.Spec?.Endpoint ?? new()))
        {
            return false;
        }
        var wanted = new HashSet<string>(StringComparer.Ordinal);
        if (HasVirtualIps(service))
        {
            foreach (NetworkAttachmentConfig config in NetworksOf(service.Spec?.Task, service))
            {
                if (networks.Find(config.Target) is not { } network)
                {
                    return false;
                }
                if (networks.HasAddresses(network.Id))
                {
                    wanted.Add(network.Id);
                }
            }
        }
        return wanted.SetEquals((service.Endpoint?.VirtualIps ?? []).Select(v => v.NetworkId));
    }

    private ServiceAllocation? Allocate(Service service, Dictionary<string, string> refusals, out string? error)
    {
        var endpoint = new Endpoint { Spec = service.Spec?.Endpoint?.Clone() ?? new() };
        if (PublishedPorts.Allocate(ports, service, NameOf, out error) is not { } published)
        {
            return null;
        }
        endpoint.Ports.Add(published);
        Dictionary<string, string> kept = [];
        foreach (Endpoint.Types.VirtualIP vip in service.Endpoint?.VirtualIps ?? [])
        {
            kept[vip.NetworkId] = vip.Addr;
        }
        FreeAddresses(service.Id);
        if (HasVirtualIps(service))
        {
            foreach (NetworkAttachmentConfig config in NetworksOf(service.Spec?.Task, service))
            {
                if (FindNetwork(config.Target, refusals, out error) is not { } network)
                {
                    return null;
                }
                if (endpoint.VirtualIps.Any(v => v.NetworkId == network.Id))
                {
                    continue;
                }
                if (TakeAddress(service.Id, network, kept.GetValueOrDefault(network.Id), out error) is not { } address)
                {
                    return null;
                }
                if (address.Length > 0)
                {
                    endpoint.VirtualIps.Add(new Endpoint.Types.VirtualIP { NetworkId = network.Id, Addr = address });
                }
            }
        }
        return new(service, endpoint);
    }

    private Allocation? Allocate(SwarmTask task, Dictionary<string, string> refusals)
    {
        Service? service = null;
        if (task.ServiceId.Length > 0 && !services.TryGetValue(task.ServiceId, out service))
        {
            // The service was removed; so will the task be.
            return null;
        }
        if (service is not null && refusals.TryGetValue(service.Id, out string? error))
        {
            return Refuse(task, error);
        }
        var attachments = new List<NetworkAttachment>();
        foreach (NetworkAttachmentConfig config in NetworksOf(task.Spec, service))
        {
            var attachment = new NetworkAttachment { Aliases = { config.Aliases }, DriverAttachmentOpts = { config.DriverAttachmentOpts } };
            if (FindNetwork(config.Target, refusals, out error) is not { } network)
            {
                FreeAddresses(task.Id);
                return Refuse(task, error!);
            }
            attachment.Network = network;
            foreach (string? asked in config.Addresses.Count > 0 ? (IEnumerable<string?>)config.Addresses : [null])
            {
                if (TakeAddress(task.Id, network, asked, out error) is not { } address)
                {
                    FreeAddresses(task.Id);
                    return Refuse(task, error!);
                }
                if (address.Length > 0)
                {
                    attachment.Addresses.Add(address);
                }
            }
            attachments.Add(attachment);
        }
        waitingTasks.Remove(task.Id);
        return new TaskAllocation(task, attachments);
    }

    // An address a node has it keeps. Where a network has none left, the node's agent gives up on the task and says so.
    private NodeAllocation? Allocate(Node node, HashSet<string> wanted)
    {
        Dictionary<string, NetworkAttachment> had = [];
        foreach (NetworkAttachment attachment in node.Attachments)
        {
            had[attachment.Network?.Id ?? ""] = attachment;
        }
        FreeAddresses(node.Id);
        var attachments = new List<NetworkAttachment>();
        foreach (string networkId in wanted.Order(StringComparer.Ordinal))
        {
            if (networks.Find(networkId) is { } network
                && TakeAddress(node.Id, network, had.GetValueOrDefault(networkId)?.Addresses.FirstOrDefault(), out _) is { Length: > 0 } address)
            {
                attachments.Add(new NetworkAttachment { Network = network, Addresses = { address } });
            }
        }
        // What cannot be had is not written again and again.
        return had.Keys.ToHashSet().SetEquals(attachments.Select(a => a.Network.Id)) ? null : new(node, attachments);
    }

    private static TaskRefusal? Refuse(SwarmTask task, string why) => task.Status?.Err == why ? null : new(task, why);

    private string NameOf(string serviceId) => services.GetValueOrDefault(serviceId)?.Spec?.Annotations?.Name ?? serviceId;

    private Network? FindNetwork(string target, Dictionary<string, string> refusals, out string? error)
    {
        Network? network = networks.Find(target);
        error = network is not null ? null : refusals.GetValueOrDefault(target) ?? $"network {target} not found";
        return network;
    }

    private string? TakeAddress(string owner, Network network, string? asked, out string? error)
    {
        string? address = networks.TakeAddress(network.Id, asked, out error);
        if (address is { Length: > 0 })
        {
            Owned(owner).Add((network.Id, address));
        }
        return address;
    }

    private void HoldAddress(string owner, string networkId, string address)
    {
        networks.HoldAddress(networkId, address);
        Owned(owner).Add((networkId, address));
    }

    private List<(string NetworkId, string Address)> Owned(string owner)
    {
        if (!addresses.TryGetValue(owner, out List<(string NetworkId, string Address)>? list))
        {
            addresses[owner] = list = [];
        }
        return list;
    }

    private bool FreeAddresses(string owner)
    {
        if (!addresses.Remove(owner, out List<(string NetworkId, string Address)>? list))
        {
            return false;
        }
        foreach ((string networkId, string address) in list)
        {
            networks.FreeAddress(networkId, address);
        }
        return true;
    }
}
