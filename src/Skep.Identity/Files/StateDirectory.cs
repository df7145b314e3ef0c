namespace Skep.Identity.Files;

/// <summary>Where a node keeps who it is. Names are SwarmKit's, so that tools which look into them go on working.</summary>
public sealed class StateDirectory
{
    /// <summary>Names the files under <paramref name="root"/>; touches nothing.</summary>
    public StateDirectory(string root)
    {
        Root = Path.GetFullPath(root);
        CertificatesFolder = Path.Combine(Root, "certificates");
    }

    /// <summary>The state directory itself, an absolute path.</summary>
    public string Root { get; }

    /// <summary>The folder of the certificates, mode 0700.</summary>
    public string CertificatesFolder { get; }

    /// <summary>The node's certificate and its intermediates, PEM.</summary>
    public string NodeCertificate => Path.Combine(CertificatesFolder, "swarm-node.crt");

    /// <summary>The node's private key, PEM, with the data keys in its headers.</summary>
    public string NodeKey => Path.Combine(CertificatesFolder, "swarm-node.key");

    /// <summary>The root CA's bundle, PEM.</summary>
    public string RootCertificate => Path.Combine(CertificatesFolder, "swarm-root-ca.crt");

    /// <summary>The managers this node knows.</summary>
    public string KnownManagers => Path.Combine(Root, "state.json");

    /// <summary>Makes the folders, owner only.</summary>
    public void Create()
    {
        WholeFile.MakeOwnerOnlyFolder(Root);
        WholeFile.MakeOwnerOnlyFolder(CertificatesFolder);
    }
}
