using Skep.DataPlane.Packets;

namespace Skep.DataPlane.Balancing.Neighbors;

/// <summary>A host on one of our links, and its Ethernet address once somebody has heard it. Shared by workers and configurations.</summary>
public sealed class Neighbor(IpAddr address, int port)
{
    private long _mac;
    private long _confirmedMs = long.MinValue;
    private long _askedMs = long.MinValue;

    /// <summary>Its IP address.</summary>
    public IpAddr Address { get; } = address;

    /// <summary>The port on whose link it is.</summary>
    public int Port { get; } = port;

    /// <summary>Its Ethernet address; 0 while nobody has heard it.</summary>
    public MacAddress Mac => new((ulong)Volatile.Read(ref _mac));

    internal bool IsKnown => Volatile.Read(ref _mac) != 0;

    internal void Learn(MacAddress mac, long nowMs)
    {
        Volatile.Write(ref _mac, (long)mac.Value);
        Volatile.Write(ref _confirmedMs, nowMs);
    }

    /// <summary>Whether it is time to ask for it; each second while unknown, before <paramref name="confirmEveryMs"/> are over otherwise.</summary>
    internal bool ShouldAsk(long nowMs, long askEveryMs, long confirmEveryMs)
    {
        long confirmed = Volatile.Read(ref _confirmedMs), asked = Volatile.Read(ref _askedMs);
        bool stale = confirmed == long.MinValue || nowMs - confirmed >= confirmEveryMs;
        if (!stale || (asked != long.MinValue && nowMs - asked < askEveryMs))
        {
            return false;
        }
        Volatile.Write(ref _askedMs, nowMs);
        return true;
    }
}
