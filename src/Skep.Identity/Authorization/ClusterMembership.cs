using Docker.Swarmkit.V1;

namespace Skep.Identity.Authorization;

/// <summary>What authorisation needs to know of the cluster.</summary>
/// <param name="ClusterId">The organization that certificates must name.</param>
/// <param name="IsRemoved">Whether the node of this id was removed and its certificate counts no more.</param>
public sealed record ClusterMembership(string ClusterId, Func<string, bool> IsRemoved)
{
    /// <summary>Whether the node of this id is known to be a manager no more, whatever its certificate, which it keeps for a while, says.</summary>
    public Func<string, bool> IsFormerManager { get; init; } = static _ => false;

    /// <summary>As the cluster object has it.</summary>
    public static ClusterMembership Of(Cluster cluster)
    {
        ArgumentNullException.ThrowIfNull(cluster);
        return new ClusterMembership(cluster.Id, cluster.BlacklistedCertificates.ContainsKey);
    }
}
