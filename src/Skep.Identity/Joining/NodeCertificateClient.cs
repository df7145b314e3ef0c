using System.Security.Cryptography;
using Docker.Swarmkit.V1;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.Extensions.Logging;
using Skep.Identity.Certificates;
using Skep.Identity.Files;
using Skep.Identity.Keys;
using Skep.Identity.Tls;
using Skep.Identity.Tokens;

namespace Skep.Identity.Joining;

/// <summary>
/// Gets certificates from a cluster's managers, Skep's or Docker's: the first one with a join token, later ones with the
/// certificate before. Tries until it is cancelled while managers cannot be reached, and gives up at once when one refuses.
/// </summary>
/// <param name="state">Where the results are kept.</param>
/// <param name="keys">The node's key file.</param>
/// <param name="pickManager">The address (host:port) of the manager to try next; null while none is known.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Says what was tried.</param>
public sealed class NodeCertificateClient(
    StateDirectory state, NodeKeyFile keys, Func<string?> pickManager, TimeProvider time, ILogger<NodeCertificateClient> logger)
{
    /// <summary>Joins a cluster: root CA, then a certificate, both saved.</summary>
    /// <param name="token">The join token; null takes whatever root CA the manager shows, and is then refused by it.</param>
    /// <param name="availability">What the node is to be used for at first.</param>
    /// <param name="ct">Stops trying.</param>
    /// <exception cref="JoinRefusedException">The manager refused, or is not the one the token is for.</exception>
    public async Task<NodeIdentity> JoinAsync(JoinToken? token, NodeSpec.Types.Availability availability, CancellationToken ct)
    {
        var root = NodeIdentityStore.LoadRoot(state);
        if (root is null)
        {
            root = await FetchRootAsync(token, ct);
            NodeIdentityStore.SaveRoot(state, root);
        }

        var request = new IssueNodeCertificateRequest { Token = token?.ToString() ?? "", Availability = availability };
        var (identity, keyPem) = await RequestAsync(address => ManagerChannel.Joining(root, address), request, root, ct);
        keys.Write(identity.CertificatePem, keyPem);
        return identity;
    }

    /// <summary>Gets a new certificate for a new key with the present one, and puts it in force.</summary>
    /// <exception cref="JoinRefusedException">The manager refused; the node may have been removed.</exception>
    public async Task<NodeIdentity> RenewAsync(NodeIdentitySource source, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(source);
        var present = source.Current;
        var (identity, keyPem) = await RequestAsync(
            address => ManagerChannel.Renewing(present, address), new IssueNodeCertificateRequest(), present.Root, ct);
        if (identity.NodeId != present.NodeId || identity.ClusterId != present.ClusterId)
        {
            throw new JoinRefusedException(
                $"asked for a certificate of node {present.NodeId}, got one of node {identity.NodeId} in cluster {identity.ClusterId}");
        }

        if (!ReferenceEquals(identity.Root, present.Root))
        {
            JoinLog.RootChanged(logger);
            NodeIdentityStore.SaveRoot(state, identity.Root);
        }

        keys.Write(identity.CertificatePem, keyPem);
        source.Replace(identity);
        return identity;
    }

    /// <summary>Fetches the root CA from a manager that is not trusted yet and holds it against the token.</summary>
    /// <exception cref="JoinRefusedException">It is not the root the token is for.</exception>
    public async Task<RootCa> FetchRootAsync(JoinToken? token, CancellationToken ct)
    {
        while (true)
        {
            var address = pickManager();
            try
            {
                return await FetchRootAsync(address, token, ct);
            }
            catch (RpcException e)
            {
                ct.ThrowIfCancellationRequested();
                JoinLog.RootNotFetched(logger, address ?? "no known manager", Retry.Reason(e), Retry.Interval.TotalMilliseconds);
            }

            await Task.Delay(Retry.Interval, time, ct);
        }
    }

    private static async Task<RootCa> FetchRootAsync(string? address, JoinToken? token, CancellationToken ct)
    {
        using var channel = Open(ManagerChannel.Unverified, address);
        var root = await FetchRootAsync(channel, ct);
        if (token is not null && !CryptographicOperations.FixedTimeEquals(root.Digest, token.RootDigest))
        {
            throw new JoinRefusedException(
                $"remote CA does not match fingerprint. Expected: {Convert.ToHexStringLower(token.RootDigest)}");
        }

        return root;
    }

    private static async Task<RootCa> FetchRootAsync(GrpcChannel channel, CancellationToken ct)
    {
        var client = new CA.CAClient(channel);
        var response = await client.GetRootCACertificateAsync(new GetRootCACertificateRequest(), Options(ct));
        try
        {
            return RootCa.FromBundle(response.Certificate.Span);
        }
        catch (CertificateException e)
        {
            throw new JoinRefusedException(e.Message, e);
        }
    }

    private async Task<(NodeIdentity Identity, byte[] KeyPem)> RequestAsync(
        Func<string, GrpcChannel> open, IssueNodeCertificateRequest request, RootCa root, CancellationToken ct)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var keyPem = Pem.EncodePrivateKey(key);
        request.Csr = ByteString.CopyFrom(SigningRequest.Create(key));

        var nodeId = "";
        for (var failures = 0; ;)
        {
            var address = pickManager();
            var delay = Retry.Interval;
            try
            {
                using var channel = Open(open, address);
                var client = new NodeCA.NodeCAClient(channel);
                if (nodeId.Length == 0)
                {
                    nodeId = (await client.IssueNodeCertificateAsync(request, Options(ct))).NodeId;
                }

                delay = Retry.Backoff(++failures);
                if (await StatusAsync(client, nodeId, request.Csr, ct) is { } certificate)
                {
                    return (await AcceptAsync(channel, certificate, keyPem, root, ct), keyPem);
                }

                JoinLog.NotIssuedYet(logger, nodeId, "pending", delay.TotalMilliseconds);
            }
            catch (RpcException e)
            {
                ct.ThrowIfCancellationRequested();
                if (Retry.IsFinal(e))
                {
                    throw new JoinRefusedException(e.Status);
                }

                JoinLog.RequestFailed(logger, address ?? "no known manager", Retry.Reason(e), delay.TotalMilliseconds);
            }

            await Task.Delay(delay, time, ct);
        }
    }

    /// <summary>The certificate for this very request, once it is issued; null while it is not.</summary>
    private static async Task<Certificate?> StatusAsync(NodeCA.NodeCAClient client, string nodeId, ByteString csr, CancellationToken ct)
    {
        var response = await client.NodeCertificateStatusAsync(new NodeCertificateStatusRequest { NodeId = nodeId }, Options(ct));
        return response.Status?.State switch
        {
            IssuanceStatus.Types.State.Failed => throw new JoinRefusedException($"certificate issuance failed: {response.Status.Err}"),
            IssuanceStatus.Types.State.Issued or IssuanceStatus.Types.State.Rotate
                when response.Certificate is { } certificate && certificate.Csr == csr => certificate,
            _ => null,
        };
    }

    private async Task<NodeIdentity> AcceptAsync(
        GrpcChannel channel, Certificate certificate, byte[] keyPem, RootCa root, CancellationToken ct)
    {
        try
        {
            try
            {
                return NodeIdentity.Create(certificate.Certificate_.Span, keyPem, root, time.GetUtcNow());
            }
            catch (CertificateException)
            {
                // The root may have been replaced since this node last heard; whoever speaks for the new one has just
                // shown a certificate under the old one.
                var fetched = await FetchRootAsync(channel, ct);
                return NodeIdentity.Create(certificate.Certificate_.Span, keyPem, fetched, time.GetUtcNow());
            }
        }
        catch (CertificateException e)
        {
            throw new JoinRefusedException($"the certificate that was issued is of no use: {e.Message}", e);
        }
    }

    private static GrpcChannel Open(Func<string, GrpcChannel> open, string? address) => address is null
        ? throw new RpcException(new Status(StatusCode.Unavailable, "no manager's address is known"))
        : open(address);

    // gRPC holds deadlines against the machine's clock.
    private static CallOptions Options(CancellationToken ct) =>
        new(SkepMark.NewHeaders(), TimeProvider.System.GetUtcNow().Add(Retry.CallTimeout).UtcDateTime, ct);
}
