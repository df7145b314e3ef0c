using System.Collections.Frozen;
using Skep.DataPlane.Packets;
using Skep.DataPlane.Telemetry;
using Skep.Sketches;

namespace Skep.DataPlane.Balancing.Configuration;

/// <summary>
/// Addresses whose packets are dropped. A filter of some bytes an address, which stays in cache, says of almost all others that they are
/// not on it; what it lets through is looked up in the exact set, so that nobody is dropped for a collision.
/// </summary>
internal sealed class DenyList
{
    /// <summary>Addresses at most.</summary>
    public const int MaxAddresses = 100_000;

    private readonly BloomFilter _filter;
    private readonly FrozenSet<IpAddr> _exact;

    private DenyList(IReadOnlyCollection<IpAddr> addresses)
    {
        _exact = addresses.ToFrozenSet();
        _filter = new BloomFilter(addresses.Count, 0.001, SketchSeed.Create());
        Span<byte> key = stackalloc byte[ClientKey.SizeBytes];
        foreach (IpAddr address in addresses)
        {
            ClientKey.Write(address, key);
            _filter.Add(key);
        }
    }

    /// <summary>A list of addresses; null for none, which costs a packet nothing.</summary>
    public static DenyList? Of(IReadOnlyCollection<IpAddr> addresses) => addresses.Count == 0 ? null : new(addresses);

    public bool Contains(IpAddr address)
    {
        Span<byte> key = stackalloc byte[ClientKey.SizeBytes];
        ClientKey.Write(address, key);
        return _filter.Contains(key) && _exact.Contains(address);
    }
}
