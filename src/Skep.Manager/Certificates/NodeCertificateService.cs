using Docker.Swarmkit.V1;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using Skep.Api;
using Skep.Identity;
using Skep.Identity.Authorization;
using Skep.Identity.Certificates;
using Skep.Identity.Tokens;
using Skep.Manager.Control;
using Skep.Store;
using State = Docker.Swarmkit.V1.IssuanceStatus.Types.State;

namespace Skep.Manager.Certificates;

/// <summary>
/// Lets nodes in: whoever shows a join token becomes a new node, whoever shows its certificate gets a new one. The only
/// place where nodes come into being. Served by the leader.
/// </summary>
/// <param name="store">The cluster.</param>
/// <param name="signer">Signs what is written down here; nobody waits unless it runs.</param>
/// <param name="members">Says whether the cluster takes another manager.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Says who was let in and who was not.</param>
public sealed class NodeCertificateService(
    ClusterStore store, CertificateSigner signer, IManagerMembers members, TimeProvider time, ILogger<NodeCertificateService> logger) : NodeCA.NodeCABase
{
    /// <summary>How many requests may wait to be signed.</summary>
    internal const int MaxPending = 1_000;

    private const int MaxIdCollisions = 3;

    /// <summary>A call that waits longer is ended; the node asks again.</summary>
    internal static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(30);

    /// <summary>Writes a request down.</summary>
    public override async Task<IssueNodeCertificateResponse> IssueNodeCertificate(
        IssueNodeCertificateRequest request, ServerCallContext context)
    {
        ArgumentNullException.ThrowIfNull(request);
        var caller = context.Caller();
        try
        {
            CheckRequest(request);
            return caller.IsNode
                ? await RenewAsync(caller.NodeId, request, SkepMark.IsOn(context.RequestHeaders), context.CancellationToken)
                : await JoinAsync(request, SkepMark.IsOn(context.RequestHeaders), context.CancellationToken);
        }
        catch (RpcException e)
        {
            CertificateLog.Refused(logger, caller.RemoteAddress ?? context.Peer, e.Status.Detail);
            throw;
        }
        catch (StoreException e)
        {
            throw Refuse(StatusCode.Unavailable, e.Message);
        }
    }

    /// <summary>Waits until a request is answered.</summary>
    public override async Task<NodeCertificateStatusResponse> NodeCertificateStatus(
        NodeCertificateStatusRequest request, ServerCallContext context)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (request.NodeId.Length == 0)
        {
            throw Refuse(StatusCode.InvalidArgument, "node_id is missing: it says whose certificate is asked for");
        }

        using var waiter = signer.Waiters.Enter(request.NodeId)
            ?? throw Refuse(StatusCode.ResourceExhausted, $"{CertificateSigner.MaxWaiters} callers wait for certificates already; try again");
        var end = time.GetUtcNow() + MaxWait;
        while (true)
        {
            var node = store.Read(view => view.Get<Node>(request.NodeId))
                ?? throw Refuse(StatusCode.NotFound, $"node {request.NodeId} not found");
            if (CertificateStates.IsFinal(node))
            {
                return new NodeCertificateStatusResponse { Status = node.Certificate.Status.Clone(), Certificate = node.Certificate.Clone() };
            }

            try
            {
                var left = end - time.GetUtcNow();
                await waiter.ChangedAsync(time, left > TimeSpan.Zero ? left : TimeSpan.Zero, context.CancellationToken);
            }
            catch (TimeoutException)
            {
                throw Refuse(StatusCode.DeadlineExceeded, $"the certificate of node {request.NodeId} is not issued yet; ask again");
            }
        }
    }

    private static void CheckRequest(IssueNodeCertificateRequest request)
    {
        if (request.Csr.IsEmpty)
        {
            throw Refuse(StatusCode.InvalidArgument, "csr is missing: a certificate request in PEM is expected");
        }

        try
        {
            SigningRequest.Check(request.Csr.Span);
        }
        catch (CertificateException e)
        {
            throw Refuse(StatusCode.InvalidArgument, e.Message);
        }
    }

    private async Task<IssueNodeCertificateResponse> JoinAsync(IssueNodeCertificateRequest request, bool isSkep, CancellationToken ct)
    {
        if (RoleOf(request.Token) is not { } role)
        {
            throw Refuse(StatusCode.InvalidArgument, "A valid join token is necessary to join this cluster");
        }

        if (role == NodeRole.Manager && !isSkep)
        {
            throw Refuse(
                StatusCode.FailedPrecondition,
                "only a Skep node can become a manager of this cluster: join with its worker token instead");
        }

        if (role == NodeRole.Manager && members.FullReason is { } reason)
        {
            throw Refuse(StatusCode.FailedPrecondition, reason);
        }

        for (var collisions = 0; ;)
        {
            var node = NewNode(Ids.New(), role, request);
            try
            {
                await store.UpdateAsync(tx => CreateBounded(tx, node), ct);
                CertificateLog.JoinRequested(logger, node.Id, RoleNames.Of(role));
                return new IssueNodeCertificateResponse { NodeId = node.Id, NodeMembership = NodeSpec.Types.Membership.Accepted };
            }
            catch (StoreException e) when (e.Kind == StoreErrorKind.AlreadyExists && ++collisions < MaxIdCollisions)
            {
                // Another id.
            }
        }
    }

    // Both are compared whatever the first says, so that the time taken tells nothing.
    private NodeRole? RoleOf(string token)
    {
        var tokens = store.Read(ClusterObject.Find)?.RootCa?.JoinTokens;
        var isManagers = JoinToken.Matches(tokens?.Manager, token);
        var isWorkers = JoinToken.Matches(tokens?.Worker, token);
        return isManagers ? NodeRole.Manager : isWorkers ? NodeRole.Worker : null;
    }

    private static void CreateBounded(WriteTransaction tx, Node node)
    {
        if (tx.List<Node>().Count(CertificateStates.IsWanted) >= MaxPending)
        {
            throw Refuse(StatusCode.ResourceExhausted, $"{MaxPending} nodes wait for their certificates already; try again");
        }

        tx.Create(node);
    }

    private static Node NewNode(string id, NodeRole role, IssueNodeCertificateRequest request) => new()
    {
        Id = id,
        Role = role,
        Certificate = new Certificate
        {
            Csr = request.Csr,
            Cn = id,
            Role = role,
            Status = new IssuanceStatus { State = State.Pending },
        },
        Spec = new NodeSpec
        {
            DesiredRole = role,
            Membership = NodeSpec.Types.Membership.Accepted,
            Availability = request.Availability,
        },
    };

    // The role is the node's own: this is how a promotion or a demotion gets into its certificate.
    private async Task<IssueNodeCertificateResponse> RenewAsync(
        string nodeId, IssueNodeCertificateRequest request, bool isSkep, CancellationToken ct)
    {
        var membership = NodeSpec.Types.Membership.Pending;
        await store.UpdateAsync(
            tx =>
            {
                var node = tx.Get<Node>(nodeId)?.Clone()
                    ?? throw Refuse(StatusCode.NotFound, $"node {nodeId} not found when attempting to renew certificate");
                if (node.Role == NodeRole.Manager && !isSkep)
                {
                    throw Refuse(
                        StatusCode.FailedPrecondition,
                        $"only a Skep node can be a manager of this cluster: demote node {nodeId}, then it gets its certificate");
                }

                membership = node.Spec?.Membership ?? NodeSpec.Types.Membership.Accepted;
                node.Certificate = new Certificate
                {
                    Csr = request.Csr,
                    Cn = node.Id,
                    Role = node.Role,
                    Status = new IssuanceStatus { State = State.Renew },
                };
                tx.Update(node);
            },
            ct);
        return new IssueNodeCertificateResponse { NodeId = nodeId, NodeMembership = membership };
    }

    private static RpcException Refuse(StatusCode code, string detail) => new(new Status(code, detail));
}
