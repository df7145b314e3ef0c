namespace Skep.DataPlane.Balancing.Flows;

/// <summary>How many flows a worker remembers and for how long.</summary>
public sealed record FlowLimits
{
    /// <summary>Places for flows; rounded up to a power of two. 64 bytes each. Plan for twice the flows expected.</summary>
    public int Capacity { get; init; } = 1 << 18;

    /// <summary>Flows at most of which one packet was seen; beyond that new ones take the places of the oldest such. Null: a quarter of the capacity.</summary>
    public int? MaxEmbryonic { get; init; }

    /// <summary>A flow of one packet is forgotten after this.</summary>
    public uint EmbryonicMs { get; init; } = 15_000;

    /// <summary>A silent TCP connection is forgotten after this.</summary>
    public uint TcpMs { get; init; } = 900_000;

    /// <summary>A silent UDP flow is forgotten after this.</summary>
    public uint UdpMs { get; init; } = 60_000;

    /// <summary>A closed TCP connection is forgotten after this.</summary>
    public uint ClosingMs { get; init; } = 30_000;
}
