using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Skep.Identity.Authorization;
using Skep.Identity.Certificates;
using Skep.Identity.Tls;
using Skep.Store.Members;

namespace Skep.Node.Listeners;

/// <summary>
/// Streams of other managers on the remote port. A stream is another member's when the certificate behind it is a manager's of this
/// cluster, was not removed, and is of the node that the member is.
/// </summary>
/// <param name="serve">Takes a stream of a member until it ends.</param>
/// <param name="cluster">The cluster as it is now.</param>
/// <param name="streams">The open streams, closed when their node is removed.</param>
internal sealed class ConsensusConnection(Func<Stream, ulong, CancellationToken, Task> serve, Func<ClusterMembership> cluster, ActiveStreams streams)
{
    private static readonly TimeSpan OpeningTimeout = TimeSpan.FromSeconds(10);

    /// <summary>Put after <c>UseHttps</c>: takes what speaks our protocol, leaves the rest to the listener.</summary>
    public Func<ConnectionDelegate, ConnectionDelegate> Middleware() => next => connection =>
        connection.Features.Get<ITlsApplicationProtocolFeature>() is { } spoken && spoken.ApplicationProtocol.Span.SequenceEqual(ConsensusStream.Protocol.Protocol.Span)
            ? ServeAsync(connection)
            : next(connection);

    private async Task ServeAsync(ConnectionContext connection)
    {
        if (connection.Features.Get<ITlsConnectionFeature>()?.ClientCertificate is not { } certificate)
        {
            Abort(connection, "a manager shows its certificate");
            return;
        }
        CertificateFacts facts = CertificateFacts.Of(certificate);

        // Entered first and looked at then, so that a removal in between is seen by one of the two.
        using ActiveStreams.IStream open = streams.Enter(facts.CommonName);
        ClusterMembership now = cluster();

        // Not whether the node is a manager by this store: one that is behind must hear from a leader it does not know as such yet.
        if (!facts.OrganizationalUnits.Contains(RoleNames.Manager) || facts.Organization != now.ClusterId || now.IsRemoved(facts.CommonName))
        {
            Abort(connection, $"node {facts.CommonName} is no manager of this cluster");
            return;
        }
        if (connection.Features.Get<IConnectionSocketFeature>()?.Socket is { } socket)
        {
            SilentPeers.Fail(socket);
        }
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(open.Removed, connection.ConnectionClosed);
        await using var stream = new DuplexPipeStream(connection.Transport);
        try
        {
            ulong from;
            using (var opening = CancellationTokenSource.CreateLinkedTokenSource(ending.Token))
            {
                opening.CancelAfter(OpeningTimeout);
                from = await ConsensusStream.ReadOpeningAsync(stream, opening.Token).ConfigureAwait(false);
            }
            if (!MemberIds.IsOf(from, facts.CommonName))
            {
                Abort(connection, $"node {facts.CommonName} is not member {from:x}");
                return;
            }
            await serve(stream, from, ending.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or SocketException or ObjectDisposedException)
        {
            // The other side went, was removed, or never said who it is.
        }
        connection.Abort();
    }

    private static void Abort(ConnectionContext connection, string why) => connection.Abort(new ConnectionAbortedException(why));
}
