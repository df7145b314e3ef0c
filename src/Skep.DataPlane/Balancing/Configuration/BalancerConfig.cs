using Skep.DataPlane.Packets;

namespace Skep.DataPlane.Balancing.Configuration;

/// <summary>What the balancer is to do: handed over whole, never changed.</summary>
public sealed record BalancerConfig
{
    /// <summary>The ports of the worker, in their order.</summary>
    public required IReadOnlyList<InterfaceConfig> Interfaces { get; init; }

    /// <summary>Virtual services.</summary>
    public required IReadOnlyList<ServiceConfig> Services { get; init; }

    /// <summary>Source addresses whose packets are dropped, 100,000 at most.</summary>
    public IReadOnlyCollection<IpAddr> Denied { get; init; } = [];

    /// <summary>Entries of each service's Maglev table: a prime. The paper uses 65,537.</summary>
    public int TableSize { get; init; } = 65_537;

    /// <summary>Seed of the hashes: the same on all machines that stand for the same services, and best kept to them.</summary>
    public ulong HashSeed { get; init; }
}

/// <summary>A port's place in the network.</summary>
/// <param name="Addresses">Our addresses on it, with their links.</param>
public sealed record InterfaceConfig(IReadOnlyList<LinkAddress> Addresses)
{
    /// <summary>Router for IPv4 addresses that are on no link of ours.</summary>
    public IpAddr? GatewayV4 { get; init; }

    /// <summary>Router for IPv6 addresses that are on no link of ours.</summary>
    public IpAddr? GatewayV6 { get; init; }
}

/// <summary>An address and how many of its first bits all hosts on the link share.</summary>
/// <param name="Address">Ours.</param>
/// <param name="PrefixBits">0 to 32, or to 128.</param>
public sealed record LinkAddress(IpAddr Address, int PrefixBits)
{
    /// <summary>Whether an address is on this link.</summary>
    public bool Contains(IpAddr other)
    {
        if (Address.IsV4 != other.IsV4)
        {
            return false;
        }
        int bits = Address.IsV4 ? PrefixBits + 96 : PrefixBits;
        UInt128 difference = new UInt128(Address.High, Address.Low) ^ new UInt128(other.High, other.Low);
        return bits == 0 || difference >> (128 - bits) == 0;
    }

    /// <summary>Reads <c>192.0.2.1/24</c>.</summary>
    /// <exception cref="FormatException">It is not an address, a slash and a number of bits that fits.</exception>
    public static LinkAddress Parse(string text)
    {
        int slash = text.IndexOf('/', StringComparison.Ordinal);
        IpAddr address = IpAddr.Parse(slash < 0 ? text : text[..slash]);
        return slash > 0 && int.TryParse(text.AsSpan(slash + 1), out int bits) && bits >= 0 && bits <= address.SizeBytes * 8
            ? new LinkAddress(address, bits)
            : throw new FormatException($"'{text}' is no address with its link: expected one such as 192.0.2.1/24 or 2001:db8::1/64");
    }
}

/// <summary>How packets reach a backend.</summary>
public enum BalanceMode
{
    /// <summary>Direct server return: only the Ethernet address changes; the backend holds the service's address and answers clients itself.</summary>
    Dsr,

    /// <summary>The destination becomes the backend's, the source stays the client's; the backend's way to clients leads through us.</summary>
    Nat,
}

/// <summary>An address that stands for many backends.</summary>
/// <param name="Name">What people call it.</param>
/// <param name="Address">What clients speak to.</param>
/// <param name="Port">Port that clients speak to.</param>
/// <param name="Protocol"><see cref="IpProtocol.Tcp"/> or <see cref="IpProtocol.Udp"/>.</param>
/// <param name="Mode">How packets reach backends.</param>
/// <param name="Backends">Who serves.</param>
public sealed record ServiceConfig(string Name, IpAddr Address, ushort Port, byte Protocol, BalanceMode Mode, IReadOnlyList<BackendConfig> Backends);

/// <summary>Whether a backend gets flows.</summary>
public enum BackendState
{
    /// <summary>New flows and old.</summary>
    Active,

    /// <summary>Only the flows it has.</summary>
    Draining,

    /// <summary>None: it is known to be dead, and its flows find another.</summary>
    Down,
}

/// <summary>One who serves.</summary>
/// <param name="Address">Its address, of the service's family.</param>
/// <param name="Port">Its port; with <see cref="BalanceMode.Dsr"/> the service's own.</param>
public sealed record BackendConfig(IpAddr Address, ushort Port)
{
    /// <summary>Its share beside the others', 0 to 65,535; 0 drains it.</summary>
    public int Weight { get; init; } = 1;

    /// <summary>Whether it gets flows.</summary>
    public BackendState State { get; init; }
}

/// <summary>A configuration that cannot be; the message names what is wrong.</summary>
public sealed class BalancerConfigException(string message) : Exception(message);
