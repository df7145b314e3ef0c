using System.Security.Cryptography;
using System.Text;
using Docker.Swarmkit.V1;
using Skep.Identity;
using Skep.Identity.Certificates;
using Skep.Identity.Files;
using Skep.Identity.Keys;
using Skep.Manager.Certificates;

namespace Skep.Manager.Recovery;

/// <summary>The identity of the manager that goes on with a restored cluster.</summary>
public static class RestoredManager
{
    /// <summary>Signs the new manager's certificate with the cluster's CA and saves it, its key, and new keys for its log.</summary>
    /// <param name="state">A state directory without an identity.</param>
    /// <param name="cluster">The cluster.</param>
    /// <param name="time">The clock.</param>
    /// <returns>The log's data key, and what the key file is locked with; null where managers are not locked.</returns>
    public static (byte[] DataKey, byte[]? UnlockKey) Write(StateDirectory state, RestoredCluster cluster, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(cluster);
        ArgumentNullException.ThrowIfNull(time);

        // Locked from the first byte on, where managers are.
        byte[]? unlockKey = ManagerLock.KeyOf(cluster.Cluster).Key;
        var keys = new NodeKeyFile(state, time, unlockKey);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        byte[] keyPem = Encoding.ASCII.GetBytes(key.ExportPkcs8PrivateKeyPem());
        NodeIdentityStore.SaveRoot(state, RootCa.FromBundle(cluster.Cluster.RootCa.CaCert.Span));
        keys.Write(
            cluster.Root.Sign(SigningRequest.Create(key), cluster.NodeId, NodeRole.Manager, cluster.Cluster.Id, ClusterObject.CertificateExpiry(cluster.Cluster), time.GetUtcNow()),
            keyPem);
        DataKeys dataKeys = DataKeys.Generate();
        keys.WriteDataKeys(dataKeys);
        return (dataKeys.Current!, unlockKey);
    }
}
