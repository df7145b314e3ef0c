using System.Collections.Frozen;
using Skep.DataPlane.Balancing.Hashing;
using Skep.DataPlane.Balancing.Neighbors;
using Skep.DataPlane.Packets;

namespace Skep.DataPlane.Balancing.Configuration;

/// <summary>
/// A configuration made ready for lookups: immutable, so that workers read it without locks and take the next one whole between
/// two bursts. Built from the one before it, from which it keeps the places of backends and what is known of neighbours.
/// </summary>
public sealed class BalancerTable
{
    /// <summary>Backends over all services at most.</summary>
    public const int MaxBackends = 65_535;

    /// <summary>Neighbours at most, those included that an earlier configuration had.</summary>
    internal const int MaxNeighbors = 2 * MaxBackends;

    internal BalancerTable(BalancerConfig config, EndpointMap<Service> services, EndpointMap<Service[]> returns, Backend?[] backends,
        FrozenDictionary<(IpAddr, int), Neighbor> neighbors, Neighbor[] wanted, Routes routes, uint generation, BalancerTable? previous)
    {
        (Config, Services, Returns, Backends, Neighbors, Routes, Generation) = (config, services, returns, backends, neighbors, routes, generation);
        NeighborList = wanted;
        HashSeed = config.HashSeed;
        Denied = ReferenceEquals(config.Denied, previous?.Config.Denied) ? previous.Denied : DenyList.Of(config.Denied);
        ServiceAddresses = config.Services.Select(s => s.Address).ToFrozenSet();
        OwnAddresses = config.Interfaces.SelectMany(i => i.Addresses, (_, a) => a.Address).ToFrozenSet();
    }

    /// <summary>What it was made from.</summary>
    public BalancerConfig Config { get; }

    /// <summary>Hosts on our links that the balancer sends to.</summary>
    public IReadOnlyCollection<Neighbor> KnownNeighbors => NeighborList;

    internal EndpointMap<Service> Services { get; }

    /// <summary>For where a backend sends from, the services it may be answering for.</summary>
    internal EndpointMap<Service[]> Returns { get; }

    internal Backend?[] Backends { get; }

    internal FrozenDictionary<(IpAddr, int), Neighbor> Neighbors { get; }

    /// <summary>Those of them that this configuration needs.</summary>
    internal Neighbor[] NeighborList { get; }

    internal FrozenSet<IpAddr> ServiceAddresses { get; }

    /// <summary>Ours on any port.</summary>
    internal FrozenSet<IpAddr> OwnAddresses { get; }

    internal ulong HashSeed { get; }

    internal DenyList? Denied { get; }

    internal Routes Routes { get; }

    internal uint Generation { get; }

    /// <summary>Builds a table.</summary>
    /// <param name="config">What is wanted.</param>
    /// <param name="previous">The table before it; null for the first.</param>
    /// <exception cref="BalancerConfigException">It cannot be; the message names what is wrong and how to mend it.</exception>
    public static BalancerTable Build(BalancerConfig config, BalancerTable? previous = null) => Build(config, previous, telemetry: null);

    internal static BalancerTable Build(BalancerConfig config, BalancerTable? previous, TableTelemetry? telemetry) =>
        new TableBuilder(config, previous, telemetry).Build();

    internal Backend? BackendAt(ushort slot, uint generation) =>
        slot < Backends.Length && Backends[slot] is { } backend && backend.Generation == generation ? backend : null;
}
