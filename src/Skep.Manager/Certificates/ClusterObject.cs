using Docker.Swarmkit.V1;
using Skep.Identity.Certificates;
using Skep.Store;

namespace Skep.Manager.Certificates;

/// <summary>The one cluster object, and what certificates need of it.</summary>
public static class ClusterObject
{
    /// <summary>Its name.</summary>
    public const string Name = "default";

    /// <summary>The cluster object; null before the first manager has written it.</summary>
    public static Cluster? Find(IStoreView view)
    {
        ArgumentNullException.ThrowIfNull(view);
        return view.ByName<Cluster>(Name);
    }

    /// <summary>How long node certificates live.</summary>
    public static TimeSpan CertificateExpiry(Cluster cluster)
    {
        ArgumentNullException.ThrowIfNull(cluster);
        var expiry = cluster.Spec?.CaConfig?.NodeCertExpiry?.ToTimeSpan() ?? CertificateProfile.DefaultExpiry;
        return expiry < CertificateProfile.MinExpiry ? CertificateProfile.DefaultExpiry : expiry;
    }

    /// <summary>The root CA that signs for the cluster; one that cannot sign where the cluster object has no key.</summary>
    /// <exception cref="CertificateException">What the object holds is no root CA.</exception>
    internal static RootCa SigningRoot(RootCA root)
    {
        if (root.RootRotation is { CaKey.IsEmpty: false } rotation)
        {
            return RootCa.ForSigning(
                root.CaCert.Span, rotation.CrossSignedCaCert.Span, rotation.CaKey.Span, rotation.CrossSignedCaCert.Span);
        }

        return root.CaKey.IsEmpty ? RootCa.FromBundle(root.CaCert.Span) : RootCa.ForSigning(root.CaCert.Span, root.CaKey.Span);
    }
}
