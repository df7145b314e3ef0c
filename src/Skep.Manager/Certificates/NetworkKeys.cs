using System.Security.Cryptography;
using Docker.Swarmkit.V1;
using Google.Protobuf;

namespace Skep.Manager.Certificates;

/// <summary>
/// The keys by which engines talk among themselves: 16 bytes each, for gossip and for IPsec, the newest three of either
/// (source: moby/swarmkit manager/keymanager).
/// </summary>
public static class NetworkKeys
{
    /// <summary>How often there is a new one.</summary>
    public static readonly TimeSpan RotationInterval = TimeSpan.FromHours(12);

    private const int Kept = 3;
    private const int SizeBytes = 16;
    private const int MaxFirstLamportTime = 65_536;
    private static readonly string[] Subsystems = ["networking:gossip", "networking:ipsec"];

    /// <summary>Adds a key for each purpose and drops what is too old.</summary>
    /// <param name="cluster">A new cluster object or a clone of the present one; it is changed.</param>
    public static void Rotate(Cluster cluster)
    {
        ArgumentNullException.ThrowIfNull(cluster);
        var clock = cluster.EncryptionKeyLamportClock;
        if (cluster.NetworkBootstrapKeys.Count == 0 && clock == 0)
        {
            clock = (ulong)RandomNumberGenerator.GetInt32(MaxFirstLamportTime);
        }

        foreach (var subsystem in Subsystems)
        {
            cluster.NetworkBootstrapKeys.Add(new EncryptionKey
            {
                Subsystem = subsystem,
                Algorithm = EncryptionKey.Types.Algorithm.Aes128Gcm,
                Key = ByteString.CopyFrom(RandomNumberGenerator.GetBytes(SizeBytes)),
                LamportTime = ++clock,
            });
        }

        cluster.EncryptionKeyLamportClock = clock;
        var kept = cluster.NetworkBootstrapKeys
            .GroupBy(k => k.Subsystem)
            .SelectMany(keys => keys.OrderByDescending(k => k.LamportTime).Take(Kept))
            .OrderBy(k => k.LamportTime)
            .ToList();
        cluster.NetworkBootstrapKeys.Clear();
        cluster.NetworkBootstrapKeys.Add(kept);
    }
}
