using System.Security.Cryptography;
using System.Text;
using Docker.Swarmkit.V1;
using Google.Protobuf;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Skep.Api;
using Skep.Identity;
using Skep.Identity.Authorization;
using Skep.Identity.Certificates;
using Skep.Manager.Certificates;
using Skep.Manager.Control;
using Skep.Store;

namespace Skep.Manager.Tests.Certificates;

/// <summary>A cluster in memory with its certificate services.</summary>
internal sealed class CertificateCluster : IManagerMembers, IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    public CertificateCluster(FoundingSettings? settings = null)
    {
        Time = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        Root = RootCa.Create(Time);
        Store = new ClusterStore(Time);
        Store.UpdateAsync(tx => tx.Create(FirstCluster.Create(Id, Root, settings ?? new()))).GetAwaiter().GetResult();
        Signer = new CertificateSigner(Store, Time, NullLogger<CertificateSigner>.Instance);
        Service = new NodeCertificateService(Store, Signer, this, Time, NullLogger<NodeCertificateService>.Instance);
    }

    /// <summary>Why no further manager can take part.</summary>
    public string? FullReason { get; set; }

    public FakeTimeProvider Time { get; }

    public string Id { get; } = Ids.New();

    public RootCa Root { get; }

    public ClusterStore Store { get; }

    public CertificateSigner Signer { get; }

    public NodeCertificateService Service { get; }

    public Cluster Object => Store.Read(ClusterObject.Find)!;

    public JoinTokens Tokens => Object.RootCa.JoinTokens;

    public ManagerStatus? Find(string nodeId) => null;

    public Skep.V1.ManagersStatus Status() => new();

    public bool CanLose(string nodeId) => true;

    public static (ByteString Csr, byte[] Key) NewRequest()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return (ByteString.CopyFrom(SigningRequest.Create(key)), Encoding.ASCII.GetBytes(key.ExportPkcs8PrivateKeyPem()));
    }

    public static CallerIdentity Caller(string nodeId, NodeRole role = NodeRole.Worker) => CallerIdentity.Local(nodeId, role, "");

    public Node? Node(string id) => Store.Read(v => v.Get<Node>(id));

    public async Task ChangeAsync(Action<Cluster> change) => await Store.UpdateAsync(tx =>
    {
        var cluster = ClusterObject.Find(tx)!.Clone();
        change(cluster);
        tx.Update(cluster);
    });

    public async Task ChangeAsync(string nodeId, Action<Node> change) => await Store.UpdateAsync(tx =>
    {
        var node = tx.Get<Node>(nodeId)!.Clone();
        change(node);
        tx.Update(node);
    });

    public async Task<string> JoinAsync(string? token = null, ByteString? csr = null, bool isSkep = true)
    {
        var request = new IssueNodeCertificateRequest { Csr = csr ?? NewRequest().Csr, Token = token ?? Tokens.Worker };
        return (await Service.IssueNodeCertificate(request, new FakeCall(CallerIdentity.Anonymous, isSkep))).NodeId;
    }

    public async Task<NodeCertificateStatusResponse> StatusAsync(string nodeId) => await Service
        .NodeCertificateStatus(new NodeCertificateStatusRequest { NodeId = nodeId }, new FakeCall(CallerIdentity.Anonymous))
        .WaitAsync(Patience);

    public async ValueTask DisposeAsync()
    {
        await Signer.DisposeAsync();
        Store.Dispose();
    }
}
