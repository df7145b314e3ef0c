using Docker.Swarmkit.V1;
using Google.Protobuf;
using Grpc.Core;
using Skep.Identity.Certificates;
using Skep.Store;

namespace Skep.Manager.Certificates;

/// <summary>Shows the root CA to anybody, and the unlock key to managers.</summary>
/// <param name="store">The cluster.</param>
/// <param name="ownRoot">The root this manager itself trusts, for the moment before the cluster object is there.</param>
public sealed class CertificateAuthorityService(ClusterStore store, Func<RootCa> ownRoot) : CA.CABase
{
    /// <summary>The root CA's bundle; what its digest is compared with is exactly these bytes.</summary>
    public override Task<GetRootCACertificateResponse> GetRootCACertificate(
        GetRootCACertificateRequest request, ServerCallContext context)
    {
        var bundle = store.Read(ClusterObject.Find)?.RootCa?.CaCert;
        return Task.FromResult(new GetRootCACertificateResponse
        {
            Certificate = bundle is { IsEmpty: false } ? bundle : ByteString.CopyFrom(ownRoot().BundlePem),
        });
    }

    /// <summary>The key that managers lock theirs with; empty while autolock is off.</summary>
    public override Task<GetUnlockKeyResponse> GetUnlockKey(GetUnlockKeyRequest request, ServerCallContext context)
    {
        var cluster = store.Read(ClusterObject.Find)
            ?? throw new RpcException(new Status(StatusCode.Unavailable, "there is no cluster object yet; try again"));
        var response = new GetUnlockKeyResponse { Version = cluster.Meta?.Version?.Clone() ?? new Docker.Swarmkit.V1.Version() };
        if (cluster.Spec?.EncryptionConfig?.AutoLockManagers == true
            && cluster.UnlockKeys.FirstOrDefault(k => k.Subsystem == RoleNames.Manager) is { } key)
        {
            response.UnlockKey = key.Key;
        }

        return Task.FromResult(response);
    }
}
