using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Docker.Swarmkit.V1;
using Google.Protobuf.WellKnownTypes;

namespace Skep.Manager.Certificates;

/// <summary>The removed nodes whose certificates have not run out: they are kept out by name.</summary>
public static class NodeBlacklist
{
    /// <summary>How long an entry outlives its certificate, for clocks that are behind.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromDays(7);

    /// <summary>
    /// Enters a node that is being removed and drops the entries that are of no use any more. Done in the transaction that
    /// removes the node.
    /// </summary>
    /// <param name="cluster">A clone of the cluster object; it is changed.</param>
    /// <param name="node">The node.</param>
    /// <param name="now">Now.</param>
    public static void Add(Cluster cluster, Node node, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(cluster);
        ArgumentNullException.ThrowIfNull(node);
        DropExpired(cluster, now);

        // A node of which nothing is known may hold any certificate, so its entry stays until it would have run out.
        var expiry = ExpiryOf(node) ?? now + ClusterObject.CertificateExpiry(cluster);
        cluster.BlacklistedCertificates[node.Id] = new BlacklistedCertificate { Expiry = Timestamp.FromDateTimeOffset(expiry) };
    }

    /// <summary>Drops the entries whose certificates ran out more than <see cref="Grace"/> ago.</summary>
    /// <param name="cluster">A clone of the cluster object; it is changed.</param>
    /// <param name="now">Now.</param>
    public static void DropExpired(Cluster cluster, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(cluster);
        foreach (var (id, entry) in cluster.BlacklistedCertificates.ToList())
        {
            if (entry.Expiry is { } expiry && expiry.ToDateTimeOffset() + Grace < now)
            {
                cluster.BlacklistedCertificates.Remove(id);
            }
        }
    }

    private static DateTimeOffset? ExpiryOf(Node node)
    {
        if (node.Certificate is not { Certificate_.IsEmpty: false } certificate)
        {
            return null;
        }

        try
        {
            using var parsed = X509Certificate2.CreateFromPem(certificate.Certificate_.ToStringUtf8());
            return parsed.NotAfter.ToUniversalTime();
        }
        catch (CryptographicException)
        {
            return null;
        }
    }
}
