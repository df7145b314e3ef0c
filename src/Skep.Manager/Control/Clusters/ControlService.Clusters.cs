using Docker.Swarmkit.V1;
using Google.Protobuf;
using Grpc.Core;
using Skep.Identity.Certificates;
using Skep.Identity.Tokens;
using Skep.Manager.Certificates;

namespace Skep.Manager.Control;

public sealed partial class ControlService
{
    /// <inheritdoc/>
    public override Task<GetClusterResponse> GetCluster(GetClusterRequest request, ServerCallContext context)
    {
        if (request.ClusterId.Length == 0)
        {
            throw Refusal.Invalid();
        }
        Cluster cluster = store.Read(view => view.Get<Cluster>(request.ClusterId)) ?? throw ClusterNotFound(request.ClusterId);
        return Task.FromResult(new GetClusterResponse { Cluster = Redacted(cluster) });
    }

    /// <inheritdoc/>
    public override Task<ListClustersResponse> ListClusters(ListClustersRequest request, ServerCallContext context)
    {
        ListClustersRequest.Types.Filters? f = request.Filters;
        return Task.FromResult(new ListClustersResponse
        {
            Clusters =
            {
                List<Cluster>(c =>
                    Matching.OneOf(c.Spec?.Annotations?.Name ?? "", f?.Names)
                    && Matching.StartsWithOneOf(c.Spec?.Annotations?.Name ?? "", f?.NamePrefixes)
                    && Matching.StartsWithOneOf(c.Id, f?.IdPrefixes)
                    && Matching.HasLabels(c.Spec?.Annotations?.Labels, f?.Labels))
                    .Select(Redacted),
            },
        });
    }

    /// <inheritdoc/>
    public override async Task<UpdateClusterResponse> UpdateCluster(UpdateClusterRequest request, ServerCallContext context)
    {
        if (request.ClusterId.Length == 0 || request.ClusterVersion is null)
        {
            throw Refusal.Invalid();
        }
        ClusterRules.Check(request.Spec);
        Cluster? cluster = null;
        await WriteAsync(
            tx =>
            {
                Cluster stored = tx.Get<Cluster>(request.ClusterId) ?? throw ClusterNotFound(request.ClusterId);
                ClusterRules.CheckRoot(stored, request.Spec);
                cluster = ToChange(stored, request.ClusterVersion);
                cluster.Spec = request.Spec.Clone();
                NodeBlacklist.DropExpired(cluster, time.GetUtcNow());
                RotateTokens(cluster, request.Rotation ?? new());
                RotateUnlockKey(cluster, request.Rotation ?? new());
                tx.Update(cluster);
            },
            context).ConfigureAwait(false);
        LogChange("cluster", ClusterObject.Name, request.ClusterId, "updated");
        return new UpdateClusterResponse { Cluster = Redacted(cluster!) };
    }

    private static RpcException ClusterNotFound(string id) => Refusal.NotFound($"cluster {id} not found");

    private void RotateTokens(Cluster cluster, KeyRotation rotation)
    {
        if (!rotation.WorkerJoinToken && !rotation.ManagerJoinToken)
        {
            return;
        }
        RootCa root;
        try
        {
            root = RootCa.FromBundle(cluster.RootCa.CaCert.Span);
        }
        catch (CertificateException e)
        {
            LogBadRoot(e);
            throw new RpcException(new Status(StatusCode.Internal, "error loading cluster rootCA for update"));
        }
        JoinTokens tokens = cluster.RootCa.JoinTokens ??= new();
        if (rotation.WorkerJoinToken)
        {
            tokens.Worker = JoinToken.Generate(root, cluster.Fips).ToString();
        }
        if (rotation.ManagerJoinToken)
        {
            tokens.Manager = JoinToken.Generate(root, cluster.Fips).ToString();
        }
    }

    // The managers watch the cluster object and lock or unlock their key files with it.
    private static void RotateUnlockKey(Cluster cluster, KeyRotation rotation)
    {
        EncryptionKey? key = cluster.UnlockKeys.FirstOrDefault(k => k.Subsystem == RoleNames.Manager);
        if (cluster.Spec.EncryptionConfig?.AutoLockManagers != true)
        {
            if (key is not null)
            {
                cluster.UnlockKeys.Remove(key);
            }
        }
        else if (key is null)
        {
            cluster.UnlockKeys.Add(new EncryptionKey { Subsystem = RoleNames.Manager, Key = ByteString.CopyFrom(UnlockKey.Generate()) });
        }
        else if (rotation.ManagerUnlockKey)
        {
            key.Key = ByteString.CopyFrom(UnlockKey.Generate());
        }
    }

    // What may be seen is written down; whatever is not stays inside.
    private static Cluster Redacted(Cluster cluster)
    {
        var shown = new Cluster
        {
            Id = cluster.Id,
            Meta = cluster.Meta,
            Spec = cluster.Spec?.Clone(),
            RootCa = cluster.RootCa?.Clone(),
            BlacklistedCertificates = { cluster.BlacklistedCertificates },
            DefaultAddressPool = { cluster.DefaultAddressPool },
            SubnetSize = cluster.SubnetSize,
            VXLANUDPPort = cluster.VXLANUDPPort,
        };
        if (shown.Spec?.CaConfig is { } config)
        {
            // The certificate is no secret, but who writes back what was read must not be taken to ask for another root.
            config.SigningCaKey = ByteString.Empty;
            config.SigningCaCert = ByteString.Empty;
        }
        if (shown.RootCa is { } root)
        {
            root.CaKey = ByteString.Empty;
            if (root.RootRotation is { } rotation)
            {
                rotation.CaKey = ByteString.Empty;
            }
        }
        return shown;
    }

    [Microsoft.Extensions.Logging.LoggerMessage(EventId = 1102, Level = Microsoft.Extensions.Logging.LogLevel.Error, Message = "The cluster's root CA cannot be read")]
    private partial void LogBadRoot(Exception e);
}
