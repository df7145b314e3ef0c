using System.Security.Cryptography;
using System.Text;
using Docker.Swarmkit.V1;
using Skep.Identity;
using Skep.Identity.Certificates;
using Skep.Identity.Keys;
using Skep.Store;

namespace Skep.Manager.Certificates;

/// <summary>
/// Brings back a manager that was off until its certificate had run out. Nobody could renew it over the network, since nobody
/// speaks with an expired certificate; but it keeps the root CA's key in its store, and signs for itself before it listens.
/// </summary>
public static class OwnCertificate
{
    /// <summary>Renews the manager's certificate if it is over; does nothing while it is good.</summary>
    /// <returns>Whether it was renewed.</returns>
    /// <exception cref="CertificateException">It is over, and the cluster object has no key to sign with.</exception>
    public static bool RenewIfOver(ClusterStore store, NodeKeyFile keys, NodeIdentitySource source, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(keys);
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(time);
        NodeIdentity own = source.Current;
        DateTimeOffset now = time.GetUtcNow();
        if (own.Certificate.NotAfter.ToUniversalTime() > now)
        {
            return false;
        }
        Cluster cluster = store.Read(ClusterObject.Find) ?? throw new CertificateException("there is no cluster object to renew the manager's certificate from");
        RootCa root = ClusterObject.SigningRoot(cluster.RootCa);
        if (!root.CanSign)
        {
            throw new CertificateException($"the certificate of this manager ended on {own.Certificate.NotAfter.ToUniversalTime():u} and the cluster has no key to sign a new one");
        }
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        byte[] keyPem = Encoding.ASCII.GetBytes(key.ExportPkcs8PrivateKeyPem());
        byte[] certificate = root.Sign(
            SigningRequest.Create(key), own.NodeId, NodeRole.Manager, own.ClusterId, ClusterObject.CertificateExpiry(cluster), now);
        NodeIdentity renewed = NodeIdentity.Create(certificate, keyPem, own.Root, now);
        keys.Write(certificate, keyPem);
        source.Replace(renewed);
        return true;
    }
}
