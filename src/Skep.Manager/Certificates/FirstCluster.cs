using Docker.Swarmkit.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Skep.Identity.Certificates;
using Skep.Identity.Tokens;
using State = Docker.Swarmkit.V1.IssuanceStatus.Types.State;

namespace Skep.Manager.Certificates;

/// <summary>What a cluster starts with.</summary>
public sealed record FoundingSettings
{
    /// <summary>Locks the managers from the start with this key; null leaves autolock off.</summary>
    public byte[]? UnlockKey { get; init; }

    /// <summary>What the first manager is to be used for.</summary>
    public NodeSpec.Types.Availability Availability { get; init; }

    /// <summary>Life of node certificates.</summary>
    public TimeSpan CertificateExpiry { get; init; } = CertificateProfile.DefaultExpiry;

    /// <summary>From where networks take their addresses, CIDR.</summary>
    public IReadOnlyList<string> AddressPool { get; init; } = ["10.0.0.0/8"];

    /// <summary>Prefix length of one network's subnet.</summary>
    public uint SubnetSize { get; init; } = 24;

    /// <summary>UDP port of overlay networks; 0 is the engine's own choice.</summary>
    public uint VxlanUdpPort { get; init; }

    /// <summary>Whether every node must run in FIPS mode.</summary>
    public bool Fips { get; init; }
}

/// <summary>The first objects of a cluster, with SwarmKit's defaults (source: moby/swarmkit manager/manager.go).</summary>
public static class FirstCluster
{
    private const int TaskHistoryLimit = 5;
    private const int SnapshotInterval = 10_000;
    private const int LogEntriesForSlowFollowers = 500;
    private const int HeartbeatTick = 1;
    private const int ElectionTick = 10;
    private static readonly TimeSpan HeartbeatPeriod = TimeSpan.FromSeconds(5);

    /// <summary>The cluster object.</summary>
    /// <param name="clusterId">Its id, the organization in every certificate.</param>
    /// <param name="root">Its root CA, with the key.</param>
    /// <param name="settings">What else it starts with.</param>
    public static Cluster Create(string clusterId, RootCa root, FoundingSettings settings)
    {
        ArgumentNullException.ThrowIfNull(root);
        ArgumentNullException.ThrowIfNull(settings);
        var cluster = new Cluster
        {
            Id = clusterId,
            Spec = Spec(settings),
            RootCa = new RootCA
            {
                CaKey = ByteString.CopyFrom(root.SigningKeyPem),
                CaCert = ByteString.CopyFrom(root.BundlePem),
                CaCertHash = root.DigestText,
                JoinTokens = new JoinTokens
                {
                    Worker = JoinToken.Generate(root, settings.Fips).ToString(),
                    Manager = JoinToken.Generate(root, settings.Fips).ToString(),
                },
            },
            Fips = settings.Fips,
            DefaultAddressPool = { settings.AddressPool },
            SubnetSize = settings.SubnetSize,
            VXLANUDPPort = settings.VxlanUdpPort,
        };
        if (settings.UnlockKey is { } key)
        {
            cluster.UnlockKeys.Add(new EncryptionKey { Subsystem = RoleNames.Manager, Key = ByteString.CopyFrom(key) });
        }

        NetworkKeys.Rotate(cluster);
        return cluster;
    }

    /// <summary>The first manager's node: it signed its own certificate, so there is no request.</summary>
    public static Node CreateManager(string nodeId, FoundingSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        return new Node
        {
            Id = nodeId,
            Role = NodeRole.Manager,
            Certificate = new Certificate
            {
                Cn = nodeId,
                Role = NodeRole.Manager,
                Status = new IssuanceStatus { State = State.Issued },
            },
            Spec = new NodeSpec
            {
                DesiredRole = NodeRole.Manager,
                Membership = NodeSpec.Types.Membership.Accepted,
                Availability = settings.Availability,
            },
            VXLANUDPPort = settings.VxlanUdpPort,
        };
    }

    private static ClusterSpec Spec(FoundingSettings settings) => new()
    {
        Annotations = new Annotations { Name = ClusterObject.Name },
        Orchestration = new OrchestrationConfig { TaskHistoryRetentionLimit = TaskHistoryLimit },
        Raft = new RaftConfig
        {
            SnapshotInterval = SnapshotInterval,
            LogEntriesForSlowFollowers = LogEntriesForSlowFollowers,
            HeartbeatTick = HeartbeatTick,
            ElectionTick = ElectionTick,
        },
        Dispatcher = new DispatcherConfig { HeartbeatPeriod = Duration.FromTimeSpan(HeartbeatPeriod) },
        CaConfig = new CAConfig { NodeCertExpiry = Duration.FromTimeSpan(settings.CertificateExpiry) },
        TaskDefaults = new TaskDefaults(),
        EncryptionConfig = new EncryptionConfig { AutoLockManagers = settings.UnlockKey is not null },
    };
}
