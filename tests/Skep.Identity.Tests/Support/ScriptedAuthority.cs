using System.Collections.Concurrent;
using Docker.Swarmkit.V1;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Skep.Api;
using Skep.Identity.Certificates;

namespace Skep.Identity.Tests.Support;

/// <summary>The manager's side of joining, as plain as it can be, and obedient to the test.</summary>
internal sealed class ScriptedAuthority(TestCluster cluster)
{
    private readonly ConcurrentDictionary<string, (ByteString Csr, byte[] Pem)> _issued = new();

    public string Token { get; set; } = "";

    public NodeRole Role { get; set; } = NodeRole.Worker;

    public RootCa Shown { get; set; } = cluster.Root;

    public Func<string, NodeCertificateStatusResponse?>? Status { get; set; }

    public Exception? NextFailure { get; set; }

    public int Issued => _issued.Count;

    public ConcurrentQueue<(IssueNodeCertificateRequest Request, string? Peer, string? Mark)> Requests { get; } = new();

    public sealed class RootService(ScriptedAuthority authority) : CA.CABase
    {
        public override Task<GetRootCACertificateResponse> GetRootCACertificate(
            GetRootCACertificateRequest request, ServerCallContext context) =>
            Task.FromResult(new GetRootCACertificateResponse { Certificate = ByteString.CopyFrom(authority.Shown.BundlePem) });
    }

    public sealed class NodeService(ScriptedAuthority authority) : NodeCA.NodeCABase
    {
        public override Task<IssueNodeCertificateResponse> IssueNodeCertificate(
            IssueNodeCertificateRequest request, ServerCallContext context)
        {
            if (authority.NextFailure is { } failure)
            {
                authority.NextFailure = null;
                throw failure;
            }

            var peer = context.GetHttpContext().Connection.ClientCertificate;
            authority.Requests.Enqueue((request, peer?.GetNameInfo(default, false), context.RequestHeaders.GetValue(SkepMark.Header)));
            if (peer is null && request.Token != authority.Token)
            {
                throw new RpcException(
                    new Status(StatusCode.InvalidArgument, "A valid join token is necessary to join this cluster"));
            }

            var id = peer is null ? Ids.New() : NodeSubject.Of(peer).NodeId;
            authority.Sign(id, request.Csr);
            return Task.FromResult(new IssueNodeCertificateResponse { NodeId = id });
        }

        public override Task<NodeCertificateStatusResponse> NodeCertificateStatus(
            NodeCertificateStatusRequest request, ServerCallContext context)
        {
            if (authority.Status?.Invoke(request.NodeId) is { } scripted)
            {
                return Task.FromResult(scripted);
            }

            var (csr, pem) = authority._issued[request.NodeId];
            return Task.FromResult(new NodeCertificateStatusResponse
            {
                Status = new IssuanceStatus { State = IssuanceStatus.Types.State.Issued },
                Certificate = new Certificate { Csr = csr, Certificate_ = ByteString.CopyFrom(pem) },
            });
        }
    }

    public RootCa Signer { get; set; } = cluster.Root;

    private void Sign(string id, ByteString csr) => _issued[id] = (
        csr, Signer.Sign(csr.Span, id, Role, cluster.Id, TimeSpan.FromHours(1), TimeProvider.System.GetUtcNow()));
}
