using Skep.DataPlane.Balancing.Hashing;
using Skep.DataPlane.Packets;

namespace Skep.DataPlane.Balancing.Pipeline;

/// <summary>What became of a datagram's first fragment.</summary>
internal enum FragmentFate : byte
{
    /// <summary>Only the link changed.</summary>
    LinkOnly,

    /// <summary>Its source became <see cref="FragmentEntry.Address"/>.</summary>
    ToClient,

    /// <summary>Its destination did.</summary>
    ToBackend,

    /// <summary>The worker <see cref="FragmentEntry.Port"/> got it.</summary>
    HandedOver,
}

/// <summary>Where a datagram's first fragment went, so that the others, which have no ports, go there too.</summary>
internal struct FragmentEntry
{
    public IpAddr Source;
    public IpAddr Destination;
    public uint Id;
    public byte Protocol;
    public bool IsSet;

    public FragmentFate Fate;
    public byte Port;
    public long SeenMs;
    public IpAddr Address;
    public MacAddress Mac;
}

/// <summary>A fixed number of datagrams, the newer in place of the older.</summary>
internal sealed class FragmentTable
{
    private const int Size = 1024;
    private const long LifetimeMs = 5_000;
    private readonly FragmentEntry[] _entries = new FragmentEntry[Size];

    public void Remember(in PacketHeaders h, FragmentFate fate, IpAddr address, MacAddress mac, int port, long nowMs)
    {
        ref FragmentEntry entry = ref _entries[IndexOf(h)];
        entry = new FragmentEntry
        {
            Source = h.Source,
            Destination = h.Destination,
            Id = h.FragmentId,
            Protocol = h.Protocol,
            IsSet = true,
            Fate = fate,
            Port = (byte)port,
            SeenMs = nowMs,
            Address = address,
            Mac = mac,
        };
    }

    public bool TryFind(in PacketHeaders h, long nowMs, out FragmentEntry entry)
    {
        entry = _entries[IndexOf(h)];
        return entry.IsSet && entry.Id == h.FragmentId && entry.Protocol == h.Protocol && entry.Source == h.Source
            && entry.Destination == h.Destination && nowMs - entry.SeenMs < LifetimeMs;
    }

    // IPv6 names the protocol in each fragment, of which only the first's counts (RFC 8200, 4.5); here all must agree.
    private static int IndexOf(in PacketHeaders h) =>
        (int)(Mix.Fold(h.Source.Low ^ h.Destination.Low ^ 0x9E3779B97F4A7C15, h.Source.High ^ h.Destination.High ^ ((ulong)h.FragmentId << 8) ^ h.Protocol ^ 0xD1B54A32D192ED03) % Size);
}
