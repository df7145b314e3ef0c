using System.Security.Cryptography;
using System.Text;
using Docker.Swarmkit.V1;
using Skep.Api;
using Skep.Identity.Certificates;

namespace Skep.Identity.Tests.Support;

/// <summary>A cluster's root and the identities it hands out.</summary>
internal sealed class TestCluster(TimeProvider? time = null)
{
    public string Id { get; } = Ids.New();

    public RootCa Root { get; } = RootCa.Create(time ?? TimeProvider.System);

    public NodeIdentity Issue(NodeRole role, string? nodeId = null, string? clusterId = null, RootCa? signer = null)
    {
        var now = (time ?? TimeProvider.System).GetUtcNow();
        var (csr, key) = NewRequest();
        var pem = (signer ?? Root).Sign(csr, nodeId ?? Ids.New(), role, clusterId ?? Id, CertificateProfile.DefaultExpiry, now);
        return NodeIdentity.Create(pem, key, Root, now);
    }

    public static (byte[] Csr, byte[] Key) NewRequest()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return (SigningRequest.Create(key), Encoding.ASCII.GetBytes(key.ExportPkcs8PrivateKeyPem()));
    }
}
