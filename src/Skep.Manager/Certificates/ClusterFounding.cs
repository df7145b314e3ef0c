using System.Security.Cryptography;
using System.Text;
using Docker.Swarmkit.V1;
using Google.Protobuf;
using Skep.Api;
using Skep.Identity;
using Skep.Identity.Certificates;
using Skep.Identity.Files;
using Skep.Identity.Keys;
using Skep.Store;

namespace Skep.Manager.Certificates;

/// <summary>
/// How a cluster comes into being: first the founder's identity on disk, then, once its log is open, the cluster object in
/// the store. The root CA's key lies on disk only in between, so that a machine that stops there founds the same cluster
/// when it comes back.
/// </summary>
public static class ClusterFounding
{
    /// <summary>Makes root CA, cluster id and the first manager's certificate, and saves them.</summary>
    /// <param name="state">A state directory without an identity.</param>
    /// <param name="keys">Its key file.</param>
    /// <param name="time">The clock.</param>
    /// <param name="expiry">Life of the first certificate.</param>
    public static NodeIdentity Found(StateDirectory state, NodeKeyFile keys, TimeProvider time, TimeSpan? expiry = null)
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(keys);
        ArgumentNullException.ThrowIfNull(time);
        state.Create();
        var root = Resume(state) ?? NewRoot(state, time);
        var now = time.GetUtcNow();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var keyPem = Encoding.ASCII.GetBytes(key.ExportPkcs8PrivateKeyPem());
        var certificate = root.Sign(
            SigningRequest.Create(key), Ids.New(), NodeRole.Manager, Ids.New(), expiry ?? CertificateProfile.DefaultExpiry, now);
        keys.Write(certificate, keyPem);
        return NodeIdentity.Create(certificate, keyPem, RootCa.FromBundle(root.BundlePem), now);
    }

    /// <summary>Whether a founding was begun here and is not complete.</summary>
    public static bool IsUnderWay(StateDirectory state)
    {
        ArgumentNullException.ThrowIfNull(state);
        return File.Exists(KeyPath(state));
    }

    /// <summary>Writes the cluster object and the founder's node where they are missing; does nothing where they are not.</summary>
    /// <param name="store">The founder's store; it must lead.</param>
    /// <param name="state">Its state directory, which still holds the root CA's key.</param>
    /// <param name="founder">The founder.</param>
    /// <param name="settings">What the cluster starts with.</param>
    /// <param name="ct">Stops before the write.</param>
    /// <exception cref="CertificateException">There is no cluster object, and the root CA's key is gone.</exception>
    public static async Task CompleteAsync(
        ClusterStore store, StateDirectory state, NodeIdentity founder, FoundingSettings settings, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(founder);
        ArgumentNullException.ThrowIfNull(settings);
        if (store.Read(ClusterObject.Find) is null)
        {
            var root = Resume(state) ?? throw new CertificateException(
                $"there is no cluster object in the log and no root CA key in {state.CertificatesFolder}: the state directory is incomplete");
            await store.UpdateAsync(
                tx =>
                {
                    if (ClusterObject.Find(tx) is null)
                    {
                        tx.Create(FirstCluster.Create(founder.ClusterId, root, settings));
                    }

                    if (tx.Get<Node>(founder.NodeId) is null)
                    {
                        tx.Create(FirstCluster.CreateManager(founder.NodeId, settings));
                    }
                },
                ct);
        }

        if (File.Exists(KeyPath(state)))
        {
            File.Delete(KeyPath(state));
            WholeFile.SyncFolder(state.CertificatesFolder);
        }
    }

    private static string KeyPath(StateDirectory state) => Path.Combine(state.CertificatesFolder, "swarm-root-ca.key");

    private static RootCa NewRoot(StateDirectory state, TimeProvider time)
    {
        var root = RootCa.Create(time);
        WholeFile.Write(KeyPath(state), root.SigningKeyPem);
        NodeIdentityStore.SaveRoot(state, root);
        return root;
    }

    private static RootCa? Resume(StateDirectory state) =>
        File.Exists(KeyPath(state)) && NodeIdentityStore.LoadRoot(state) is { } saved
            ? RootCa.ForSigning(saved.BundlePem, File.ReadAllBytes(KeyPath(state)))
            : null;
}
