using System.Collections.Concurrent;
using Skep.DataPlane.Packets;
using Skep.Sketches;

namespace Skep.DataPlane.Telemetry;

/// <summary>
/// Which clients were there: how many distinct ones each service had, and which were new to all. Asked once a flow, not once a packet;
/// any number of workers share it.
/// </summary>
/// <param name="time">Tells when a client was new.</param>
internal sealed class ClientRegister(TimeProvider time)
{
    /// <summary>Clients told apart before the filter is emptied; at one in a hundred wrongly taken for known.</summary>
    public const long Capacity = 1_000_000;

    private const int Remembered = 64;
    private readonly SketchSeed _seed = SketchSeed.Create();
    private readonly ConcurrentDictionary<ServiceKey, ConcurrentHyperLogLog> _services = [];
    private readonly Lock _gate = new();
    private readonly (IpAddr Client, DateTimeOffset At)[] _last = new (IpAddr, DateTimeOffset)[Remembered];
    private ConcurrentBloomFilter _seen = NewFilter();
    private long _inFilter;
    private long _firstSeen;
    private DateTimeOffset _since = time.GetUtcNow();

    /// <summary>The sketch of a service's clients; the same one as long as the service is kept.</summary>
    public ConcurrentHyperLogLog Of(ServiceKey service) => _services.GetOrAdd(service, static (_, seed) => new ConcurrentHyperLogLog(seed), _seed);

    /// <summary>Forgets services that are no more.</summary>
    public void Keep(IReadOnlySet<ServiceKey> services)
    {
        foreach (ServiceKey gone in _services.Keys.Where(k => !services.Contains(k)))
        {
            _services.TryRemove(gone, out _);
        }
    }

    /// <summary>A flow of a client began.</summary>
    public void SeeFlow(ConcurrentHyperLogLog clients, IpAddr client)
    {
        Span<byte> key = stackalloc byte[ClientKey.SizeBytes];
        ClientKey.Write(client, key);
        clients.Add(key);
        if (Volatile.Read(ref _seen).Contains(key))
        {
            return;
        }
        lock (_gate)
        {
            // Two workers may have seen a client's first two flows at once.
            if (_seen.Contains(key))
            {
                return;
            }
            _seen.Add(key);
            _last[_firstSeen++ % Remembered] = (client, time.GetUtcNow());
            if (++_inFilter >= Capacity)
            {
                // Fuller, it would take ever more strangers for known ones.
                (_inFilter, _since) = (0, time.GetUtcNow());
                Volatile.Write(ref _seen, NewFilter());
            }
        }
    }

    /// <summary>The clients that were new last, the newest first; how many there were, and since when.</summary>
    public (IReadOnlyList<(IpAddr Client, DateTimeOffset At)> Last, long Count, DateTimeOffset Since) Read()
    {
        lock (_gate)
        {
            int count = (int)Math.Min(_firstSeen, Remembered);
            return ([.. Enumerable.Range(1, count).Select(back => _last[(_firstSeen - back) % Remembered])], _firstSeen, _since);
        }
    }

    private static ConcurrentBloomFilter NewFilter() => new(Capacity, 0.01, SketchSeed.Create());
}

/// <summary>What a service is known by.</summary>
internal readonly record struct ServiceKey(IpAddr Address, ushort Port, byte Protocol);
