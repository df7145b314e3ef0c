using Skep.Jute;

namespace Swarmctl.Coordination.ZooKeeperFiles;

/// <summary>A znode as ZooKeeper stores it; times in ms since 1970.</summary>
internal sealed class StoredNode
{
    public const long ContainerOwner = long.MinValue;

    private const long TtlMask = unchecked((long)0xff00000000000000);

    public ReadOnlyMemory<byte>? Data { get; set; }

    public required IReadOnlyList<Acl> Acl { get; set; }

    public long Czxid { get; init; }

    public long Mzxid { get; set; }

    public long Pzxid { get; set; }

    public long CtimeMs { get; init; }

    public long MtimeMs { get; set; }

    public int Version { get; set; }

    /// <summary>Children ever made: the next sequential name's number. What clients see is twice this less the children there are.</summary>
    public int Creations { get; set; }

    public int Aversion { get; set; }

    /// <summary>The session of an ephemeral node, or a number that says container or time to live; 0 for neither.</summary>
    public long Owner { get; init; }

    public NodeKind Kind => KindOf(Owner);

    /// <summary>0 where it has none.</summary>
    public long TtlMs => TtlOf(Owner);

    public static NodeKind KindOf(long owner) => owner switch
    {
        0 => NodeKind.Persistent,
        ContainerOwner => NodeKind.Container,
        _ => (owner & TtlMask) == TtlMask ? NodeKind.Ttl : NodeKind.Ephemeral,
    };

    public static long TtlOf(long owner) => KindOf(owner) == NodeKind.Ttl ? owner & ~TtlMask : 0;

    public static long TtlOwner(long ttlMs) => TtlMask | ttlMs;
}

/// <summary>When a znode goes by itself.</summary>
internal enum NodeKind
{
    /// <summary>Never.</summary>
    Persistent,

    /// <summary>With its session.</summary>
    Ephemeral,

    /// <summary>After its last child.</summary>
    Container,

    /// <summary>When it was not changed for some time.</summary>
    Ttl,
}
