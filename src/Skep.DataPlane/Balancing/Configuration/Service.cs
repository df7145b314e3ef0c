using Skep.DataPlane.Balancing.Hashing;
using Skep.DataPlane.Balancing.Neighbors;
using Skep.DataPlane.Packets;
using Skep.Sketches;

namespace Skep.DataPlane.Balancing.Configuration;

/// <summary>A service as the pipeline sees it.</summary>
internal sealed class Service(ServiceConfig config, MaglevTable table, ConcurrentHyperLogLog? clients)
{
    public ServiceConfig Config { get; } = config;
    public readonly IpAddr Address = config.Address;
    public readonly ushort Port = config.Port;
    public readonly byte Protocol = config.Protocol;
    public readonly bool IsNat = config.Mode == BalanceMode.Nat;
    public readonly MaglevTable Table = table;

    /// <summary>Its clients, where somebody counts them.</summary>
    public readonly ConcurrentHyperLogLog? Clients = clients;
}

/// <summary>A backend of one service as the pipeline sees it.</summary>
internal sealed class Backend(ushort slot, uint generation, ServiceConfig service, BackendConfig config, Neighbor nextHop)
{
    /// <summary>Where it stands in <see cref="BalancerTable.Backends"/>; kept while it is in the configuration, used again afterwards.</summary>
    public readonly ushort Slot = slot;

    /// <summary>Tells it from those that had its slot before.</summary>
    public readonly uint Generation = generation;
    public readonly IpAddr Address = config.Address;
    public readonly ushort Port = config.Port;
    public readonly bool IsDown = config.State == BackendState.Down;
    public readonly bool TakesNew = config.State == BackendState.Active && config.Weight > 0;
    public readonly Neighbor NextHop = nextHop;

    /// <summary>What its slot had counted for others before it came.</summary>
    public long PacketsBefore { get; init; }

    /// <inheritdoc cref="PacketsBefore"/>
    public long BytesBefore { get; init; }

    public BackendConfig Config { get; } = config;
    public BackendKey Key { get; } = new(service.Address, service.Port, service.Protocol, config.Address, config.Port);
}

/// <summary>What a backend is known by from one configuration to the next.</summary>
internal readonly record struct BackendKey(IpAddr Service, ushort ServicePort, byte Protocol, IpAddr Address, ushort Port);

/// <summary>One end of a conversation.</summary>
internal readonly record struct Endpoint(IpAddr Address, ushort Port, byte Protocol)
{
    public uint PortAndProtocol => ((uint)Port << 8) | Protocol;

    public uint Hash
    {
        get
        {
            ulong h = (Address.Low * 0x9E3779B97F4A7C15) ^ (Address.High * 0xD1B54A32D192ED03) ^ (PortAndProtocol * 0xAEF17502108EF2D9);
            return (uint)(h >> 32);
        }
    }
}
