using Skep.Identity.Certificates;
using Skep.Identity.Files;
using Skep.Identity.Keys;

namespace Skep.Identity;

/// <summary>A node's identity between the state directory and memory.</summary>
public static class NodeIdentityStore
{
    /// <summary>The saved root CA; null where the node has none yet.</summary>
    /// <exception cref="CertificateException">The file is no bundle of CA certificates.</exception>
    public static RootCa? LoadRoot(StateDirectory state)
    {
        ArgumentNullException.ThrowIfNull(state);
        return File.Exists(state.RootCertificate) ? RootCa.FromBundle(File.ReadAllBytes(state.RootCertificate)) : null;
    }

    /// <summary>Saves the root CA's bundle; its key is never written here.</summary>
    public static void SaveRoot(StateDirectory state, RootCa root)
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(root);
        state.Create();
        WholeFile.Write(state.RootCertificate, root.BundlePem, WholeFile.Public);
    }

    /// <summary>The saved identity; null where the node has none yet.</summary>
    /// <param name="state">Where it is.</param>
    /// <param name="keys">The key file, with the unlock key if there is one.</param>
    /// <param name="now">When the certificate must be valid.</param>
    /// <param name="allowExpired">Whether a certificate past its end will do: a manager that was off for long may renew its own.</param>
    /// <exception cref="KeyLockedException">The node is locked.</exception>
    /// <exception cref="CertificateException">The files do not fit together or the certificate is not valid.</exception>
    public static NodeIdentity? Load(StateDirectory state, NodeKeyFile keys, DateTimeOffset now, bool allowExpired = false)
    {
        ArgumentNullException.ThrowIfNull(keys);
        if (LoadRoot(state) is not { } root || !keys.Exists)
        {
            return null;
        }

        var key = keys.Read();
        return NodeIdentity.Create(keys.ReadCertificate(), key.PrivateKeyPem, root, now, allowExpired);
    }
}
