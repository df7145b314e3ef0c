namespace Skep.Node;

/// <summary>How one node of the cluster is to run: what swarmd's flags say.</summary>
public sealed record NodeOptions
{
    /// <summary>Everything the node keeps.</summary>
    public required string StateDirectory { get; init; }

    /// <summary>The name it reports.</summary>
    public string Hostname { get; init; } = Environment.MachineName;

    /// <summary>Path of the control socket, which managers listen on.</summary>
    public string ControlSocket { get; init; } = "/var/run/swarmd.sock";

    /// <summary>Where a manager listens for nodes, host:port.</summary>
    public string RemoteApi { get; init; } = "0.0.0.0:4242";

    /// <summary>The address that nodes are told, host:port; null tells each the address it came in by.</summary>
    public string? AdvertisedRemoteApi { get; init; }

    /// <summary>A manager of the cluster to join; null founds a cluster, or goes on with the one the state directory knows.</summary>
    public string? JoinAddress { get; init; }

    /// <summary>The token to join with.</summary>
    public string? JoinToken { get; init; }

    /// <summary>The container engine's address; where it does not answer the node runs processes only.</summary>
    public string EngineAddress { get; init; } = "unix:///var/run/docker.sock";

    /// <summary>User-defined resources, kind=count or kind=name, parted by commas.</summary>
    public string GenericResources { get; init; } = "";

    /// <summary>Opens a locked manager's key file: SWMKEY-1-….</summary>
    public string? UnlockKey { get; init; }

    /// <summary>Locks the key file of a new cluster's managers.</summary>
    public bool Autolock { get; init; }

    /// <summary>Whether this manager's others are lost for good and it is to go on alone.</summary>
    public bool ForceNewCluster { get; init; }

    /// <summary>A backup to found a cluster from; null for none.</summary>
    public string? RestoreFrom { get; init; }

    /// <summary>A file that holds the passphrase the backup was encrypted to.</summary>
    public string? RestorePassphraseFile { get; init; }

    /// <summary>Whether the restored cluster is to be another one: with an id, CA and tokens of its own, and without nodes.</summary>
    public bool RestoreAsNew { get; init; }

    /// <summary>Whether process tasks may run as root here.</summary>
    public bool AllowRootTasks { get; init; }

    /// <summary>Where metrics are served, host:port; null serves none.</summary>
    public string? MetricsAddress { get; init; }

    /// <summary>Where clients of coordination are served while this node manages: a port of the loopback, or host:port; null serves none.</summary>
    public string? Coordination { get; init; }

    /// <summary>What such clients read: sequential or linearizable.</summary>
    public string CoordinationReads { get; init; } = "sequential";

    /// <summary>Whether they are served by TLS with the cluster's certificates.</summary>
    public bool CoordinationTls { get; init; }

    /// <summary>A PEM file with a certificate to serve them by TLS with.</summary>
    public string? CoordinationTlsCertificate { get; init; }

    /// <summary>A PEM file with its private key.</summary>
    public string? CoordinationTlsKey { get; init; }

    /// <summary>A PEM file with the roots that clients' certificates must lead to; null asks for none.</summary>
    public string? CoordinationTlsAuthority { get; init; }

    /// <summary>Whether they may be served without TLS beyond the loopback.</summary>
    public bool CoordinationInsecure { get; init; }

    /// <summary>The four-letter words that are answered, parted by commas; null for the service's own choice.</summary>
    public string? CoordinationWords { get; init; }

    /// <summary>Connections from one address, 0 for no bound; null for the service's own choice.</summary>
    public int? CoordinationMaxConnectionsPerAddress { get; init; }

    /// <summary>Whether hard quotas refuse writes while this manager leads.</summary>
    public bool CoordinationEnforceQuotas { get; init; }

    /// <summary>The longest request that is taken, in bytes; null for the service's own choice.</summary>
    public int? CoordinationMaxBufferBytes { get; init; }

    /// <summary>The file of coordination's audit log; null for none.</summary>
    public string? CoordinationAudit { get; init; }

    /// <summary>A file of users and passwords, who may prove by SASL who they are; null where SASL is not spoken.</summary>
    public string? CoordinationSaslUsers { get; init; }
}
