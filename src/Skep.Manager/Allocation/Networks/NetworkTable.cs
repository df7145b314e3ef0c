using System.Globalization;
using Docker.Swarmkit.V1;

namespace Skep.Manager.Allocation;

/// <summary>
/// Subnets, VXLAN ids and addresses of the cluster's networks, numbered as SwarmKit does: the first user network gets the
/// second subnet of the default pool and id 4097, since the first of each is kept for ingress. Pure.
/// </summary>
internal sealed class NetworkTable
{
    /// <summary>Option of an overlay network with its VXLAN ids, one a subnet.</summary>
    public const string VxlanOption = "com.docker.network.driver.overlay.vxlanid_list";

    private const uint IngressVxlan = 4096;
    private const uint LastVxlan = (1 << 24) - 1;
    private const int DefaultSubnetSize = 24;
    private static readonly string[] DefaultPools = ["10.0.0.0/8"];

    private readonly Dictionary<string, Entry> entries = new(StringComparer.Ordinal);
    private readonly HashSet<uint> vxlans = [];
    private uint nextVxlan = IngressVxlan + 1;
    private IReadOnlyList<string> pools = DefaultPools;
    private int subnetSize = DefaultSubnetSize;

    /// <summary>Takes the default pools from the cluster.</summary>
    public void Configure(Cluster cluster)
    {
        pools = cluster.DefaultAddressPool.Count > 0 ? [.. cluster.DefaultAddressPool] : DefaultPools;
        subnetSize = cluster.SubnetSize > 0 ? (int)cluster.SubnetSize : DefaultSubnetSize;
    }

    /// <summary>Whether a network has been given what it needs.</summary>
    public static bool IsAllocated(Network network) =>
        network.DriverState is { Name.Length: > 0 } && (!IsOverlay(network) || network.Ipam is { Configs.Count: > 0 });

    /// <summary>A network by id or name, once it is allocated.</summary>
    public Network? Find(string target)
    {
        if (entries.TryGetValue(target, out Entry? entry))
        {
            return entry.Network;
        }
        foreach (Entry e in entries.Values)
        {
            if (string.Equals(e.Network.Spec?.Annotations?.Name, target, StringComparison.OrdinalIgnoreCase))
            {
                return e.Network;
            }
        }
        return null;
    }

    /// <summary>Notes a network that was allocated before.</summary>
    public void Hold(Network network)
    {
        if (entries.TryGetValue(network.Id, out Entry? known) && known.Covers(network))
        {
            known.Network = network;
            return;
        }
        Free(network.Id);
        var entry = new Entry(network);
        foreach (IPAMConfig config in network.Ipam?.Configs ?? [])
        {
            if (Subnet.Parse(config.Subnet) is { } subnet)
            {
                entry.Add(subnet, config);
            }
        }
        entry.Vxlans.AddRange(VxlansOf(network.DriverState));
        foreach (uint id in entry.Vxlans)
        {
            vxlans.Add(id);
            nextVxlan = id >= nextVxlan && id < LastVxlan ? id + 1 : nextVxlan;
        }
        entries[network.Id] = entry;
    }

    /// <summary>Gives a network its driver state, subnets and VXLAN ids, and holds them.</summary>
    /// <returns>The network as it is to be written; null with the reason.</returns>
    public Network? Allocate(Network network, out string? error)
    {
        error = null;
        Network result = network.Clone();
        result.DriverState = new Driver { Name = DriverName(network) };
        result.DriverState.Options.Add(network.Spec?.DriverConfig?.Options ?? []);
        if (IsOverlay(network))
        {
            error = AllocateSubnets(result) ?? AllocateVxlans(result);
            if (error is not null)
            {
                return null;
            }
        }
        Hold(result);
        return result;
    }

    /// <summary>Frees all a network had.</summary>
    public bool Free(string networkId)
    {
        if (!entries.Remove(networkId, out Entry? entry))
        {
            return false;
        }
        vxlans.ExceptWith(entry.Vxlans);
        return true;
    }

    /// <summary>Whether a network gives addresses at all.</summary>
    public bool HasAddresses(string networkId) => entries.TryGetValue(networkId, out Entry? entry) && entry.Pools.Count > 0;

    /// <summary>Takes an address of a network, the asked one or any. A network without subnets gives none.</summary>
    /// <returns>The address with its prefix length; empty where the network gives none; null with the reason.</returns>
    public string? TakeAddress(string networkId, string? asked, out string? error)
    {
        error = null;
        List<AddressPool> from = entries[networkId].Pools;
        if (from.Count == 0)
        {
            return "";
        }
        foreach (AddressPool pool in from)
        {
            UInt128? address = pool.Subnet.NumberOf(asked ?? "") is { } wanted ? (pool.TryTake(wanted) ? wanted : null) : (asked is null ? pool.Take() : null);
            if (address is { } got)
            {
                return pool.Subnet.AddressWithPrefix(got);
            }
        }
        error = asked is null
            ? $"network {networkId} has no free address"
            : $"address {asked} of network {networkId} is in use or not of its subnets";
        return null;
    }

    /// <summary>Holds an address that was given before.</summary>
    public void HoldAddress(string networkId, string address) => WithPool(networkId, address, static (pool, n) => pool.TryTake(n));

    /// <summary>Frees an address.</summary>
    public void FreeAddress(string networkId, string address) => WithPool(networkId, address, static (pool, n) => pool.Free(n));

    private static bool IsOverlay(Network network) => DriverName(network) == "overlay";

    private static string DriverName(Network network) => network.Spec?.DriverConfig?.Name is { Length: > 0 } name ? name : "overlay";

    private static IEnumerable<uint> VxlansOf(Driver? driver) =>
        driver?.Options.TryGetValue(VxlanOption, out string? list) == true
            ? list.Split(',').Select(s => uint.TryParse(s, NumberStyles.None, CultureInfo.InvariantCulture, out uint id) ? id : 0).Where(id => id > 0)
            : [];

    private void WithPool(string networkId, string address, Action<AddressPool, UInt128> act)
    {
        if (entries.TryGetValue(networkId, out Entry? entry))
        {
            foreach (AddressPool pool in entry.Pools)
            {
                if (pool.Subnet.NumberOf(address) is { } number)
                {
                    act(pool, number);
                    return;
                }
            }
        }
    }

    private string? AllocateSubnets(Network result)
    {
        IReadOnlyList<IPAMConfig> asked = result.Spec.Ipam?.Configs is { Count: > 0 } configs ? [.. configs] : [new() { Family = IPAMConfig.Types.AddressFamily.Ipv4 }];
        result.Ipam = new IPAMOptions { Driver = new Driver { Name = "default" } };
        if (result.Spec.Ipam?.Driver is { Name.Length: > 0 } driver)
        {
            result.Ipam.Driver = driver.Clone();
        }
        var taken = new List<Subnet>();
        foreach (IPAMConfig config in asked)
        {
            Subnet subnet;
            if (config.Subnet.Length > 0)
            {
                if (Subnet.Parse(config.Subnet) is not { } wanted)
                {
                    return $"subnet {config.Subnet} is invalid, expected an address and a prefix length, e.g. 10.20.0.0/24";
                }
                if (taken.Any(wanted.Overlaps) || Overlapping(wanted) is not null)
                {
                    return $"subnet {wanted} overlaps with {(Overlapping(wanted) is { } other ? $"network {other}" : "another of the network's")}";
                }
                subnet = wanted;
            }
            else if (FreeSubnet(taken, result.Spec.Ingress) is { } free)
            {
                subnet = free;
            }
            else
            {
                return "the cluster's default address pools have no free subnet; name a subnet or remove a network";
            }
            taken.Add(subnet);
            IPAMConfig given = config.Clone();
            given.Subnet = subnet.ToString();
            given.Family = subnet.IsV6 ? IPAMConfig.Types.AddressFamily.Ipv6 : IPAMConfig.Types.AddressFamily.Ipv4;
            if (given.Gateway.Length == 0)
            {
                given.Gateway = subnet.Address(subnet.First + 1);
            }
            result.Ipam.Configs.Add(given);
        }
        return null;
    }

    private string? AllocateVxlans(Network result)
    {
        uint[] asked = [.. VxlansOf(result.DriverState)];
        if (asked.Any(vxlans.Contains))
        {
            return $"VXLAN id {asked.First(vxlans.Contains)} is in use by another network";
        }
        var ids = new List<uint>(asked);
        while (ids.Count < result.Ipam.Configs.Count)
        {
            uint id = result.Spec.Ingress && !vxlans.Contains(IngressVxlan) && !ids.Contains(IngressVxlan) ? IngressVxlan : nextVxlan;
            for (uint tried = 0; id != IngressVxlan && (vxlans.Contains(id) || ids.Contains(id)); tried++)
            {
                if (tried > vxlans.Count + ids.Count)
                {
                    return "all VXLAN ids are in use";
                }
                id = id == LastVxlan ? IngressVxlan + 1 : id + 1;
            }
            ids.Add(id);
        }
        result.DriverState.Options[VxlanOption] = string.Join(',', ids);
        return null;
    }

    private string? Overlapping(Subnet subnet) =>
        entries.Values.FirstOrDefault(e => e.Pools.Exists(p => p.Subnet.Overlaps(subnet)))?.Network.Spec.Annotations.Name;

    // The first subnet of the first pool is for ingress.
    private Subnet? FreeSubnet(List<Subnet> taken, bool ingress)
    {
        Subnet? kept = ingress ? null : DefaultSubnets().Cast<Subnet?>().FirstOrDefault();
        foreach (Subnet candidate in DefaultSubnets())
        {
            if (candidate != kept && !taken.Exists(candidate.Overlaps) && Overlapping(candidate) is null)
            {
                return candidate;
            }
        }
        return null;
    }

    private IEnumerable<Subnet> DefaultSubnets()
    {
        foreach (string text in pools)
        {
            if (Subnet.Parse(text) is not { } pool || pool.PrefixLength > subnetSize || subnetSize > pool.Bits)
            {
                continue;
            }
            var subnet = new Subnet(pool.First, subnetSize, pool.IsV6);
            yield return subnet;
            while (subnet.Last < pool.Last)
            {
                subnet = subnet with { First = subnet.Last + 1 };
                yield return subnet;
            }
        }
    }

    private sealed class Entry(Network network)
    {
        public Network Network { get; set; } = network;

        public List<AddressPool> Pools { get; } = [];

        public List<uint> Vxlans { get; } = [];

        // A change of labels leaves the addresses that were given out alone.
        public bool Covers(Network other) =>
            Equals(Network.Ipam, other.Ipam) && Equals(Network.DriverState, other.DriverState);

        public void Add(Subnet subnet, IPAMConfig config)
        {
            var pool = new AddressPool(subnet, config.Range.Length > 0 ? Subnet.Parse(config.Range) : null);
            foreach (string reserved in config.Reserved.Values.Append(config.Gateway))
            {
                if (subnet.NumberOf(reserved) is { } number)
                {
                    pool.TryTake(number);
                }
            }
            Pools.Add(pool);
        }
    }
}
