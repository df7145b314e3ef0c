using System.Buffers.Binary;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Skep.Identity.Certificates;

namespace Skep.Identity.Tls;

/// <summary>
/// Streams between managers for what they agree on: TLS on the same port as everything else, told apart by its application
/// protocol, since frames of HTTP/2 around messages that are frames already would only cost. A stream begins with the opener's
/// member id; its certificate says whether it may be that member.
/// </summary>
public static class ConsensusStream
{
    /// <summary>The protocol's name in the TLS handshake (ALPN, RFC 7301).</summary>
    public static readonly SslApplicationProtocol Protocol = new("skep-raft/1");

    private const int OpeningSizeBytes = 8;

    /// <summary>Opens a stream to a manager.</summary>
    /// <param name="source">Who this node is.</param>
    /// <param name="self">This member's id.</param>
    /// <param name="address">The other's address, host:port.</param>
    /// <param name="ct">Gives up.</param>
    /// <returns>The stream, and the node id of the other's certificate.</returns>
    /// <exception cref="IOException">It cannot be reached, or is no manager of this cluster.</exception>
    public static async Task<(Stream Stream, string NodeId)> DialAsync(NodeIdentitySource source, ulong self, string address, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(source);
        SslStream? secure = null;
        try
        {
            var plain = await ManagerChannel.ConnectAsync(ManagerChannel.ParseAddress(address), ct);
            secure = new SslStream(plain);
            await secure.AuthenticateAsClientAsync(ClientTls.WithName(ClientTls.As(source.Current), RoleNames.Manager, Protocol), ct);
            if (secure.NegotiatedApplicationProtocol != Protocol || secure.RemoteCertificate is not X509Certificate2 shown)
            {
                throw new IOException($"{address} does not speak {Protocol}: it is no Skep manager");
            }

            var opening = new byte[OpeningSizeBytes];
            BinaryPrimitives.WriteUInt64LittleEndian(opening, self);
            await secure.WriteAsync(opening, ct);
            return (secure, CertificateFacts.Of(shown).CommonName);
        }
        catch (Exception e)
        {
            if (secure is not null)
            {
                await secure.DisposeAsync();
            }

            throw e is SocketException or AuthenticationException or FormatException ? new IOException(e.Message, e) : e;
        }
    }

    /// <summary>Reads the member id that the opener of a stream begins with.</summary>
    /// <exception cref="EndOfStreamException">The stream ends before.</exception>
    public static async Task<ulong> ReadOpeningAsync(Stream stream, CancellationToken ct)
    {
        var opening = new byte[OpeningSizeBytes];
        await stream.ReadExactlyAsync(opening, ct);
        return BinaryPrimitives.ReadUInt64LittleEndian(opening);
    }
}
