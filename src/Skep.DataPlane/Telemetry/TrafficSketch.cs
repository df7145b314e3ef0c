using System.Buffers.Binary;
using Skep.DataPlane.Packets;
using Skep.Sketches;

namespace Skep.DataPlane.Telemetry;

/// <summary>Who sends most, by packets and by bytes, in memory that does not grow. For one writer at a time.</summary>
/// <param name="seed">Of the hashes: clients choose their addresses, and must not be able to choose those that collide.</param>
internal sealed class TrafficSketch(SketchSeed seed)
{
    private const int Kept = 256;
    private const double Epsilon = 1e-3;

    public HeavyHitters Packets { get; } = new(Kept, Epsilon, seed: seed);

    public HeavyHitters Bytes { get; } = new(Kept, Epsilon, seed: seed);

    /// <summary>Packets of <see cref="Packets"/> for which one of <see cref="PacketSampling.Every"/> stands.</summary>
    public long SampledPackets { get; private set; }

    /// <summary>The longest frame that stands for others.</summary>
    public int LongestSampledBytes { get; private set; }

    /// <summary>Counts a packet of a client.</summary>
    /// <param name="client">The client.</param>
    /// <param name="sizeBytes">How long it is.</param>
    /// <param name="weight">How many it stands for; 1 for itself.</param>
    public void Add(IpAddr client, int sizeBytes, int weight = 1)
    {
        Span<byte> key = stackalloc byte[ClientKey.SizeBytes];
        ClientKey.Write(client, key);
        // Both have the same seed, so the key is hashed once.
        ulong hash = Packets.HashOf(key);
        Packets.Add(hash, key, weight);
        Bytes.Add(hash, key, (long)sizeBytes * weight);
        if (weight > 1)
        {
            SampledPackets += weight;
            LongestSampledBytes = Math.Max(LongestSampledBytes, sizeBytes);
        }
    }

    /// <summary>Adds what another has counted.</summary>
    public void Merge(TrafficSketch other)
    {
        Packets.Merge(other.Packets);
        Bytes.Merge(other.Bytes);
        SampledPackets += other.SampledPackets;
        LongestSampledBytes = Math.Max(LongestSampledBytes, other.LongestSampledBytes);
    }
}

/// <summary>A client's address as the sketches take it: always 16 bytes, so that no key needs another size than the one it replaces.</summary>
internal static class ClientKey
{
    public const int SizeBytes = 16;

    public static void Write(IpAddr client, Span<byte> key)
    {
        BinaryPrimitives.WriteUInt64BigEndian(key, client.High);
        BinaryPrimitives.WriteUInt64BigEndian(key[8..], client.Low);
    }

    public static IpAddr Read(ReadOnlySpan<byte> key) => IpAddr.ReadV6(key);
}
