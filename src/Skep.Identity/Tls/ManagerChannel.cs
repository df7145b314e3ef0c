using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using Grpc.Net.Client;
using Skep.Identity.Certificates;

namespace Skep.Identity.Tls;

/// <summary>gRPC channels to a manager's remote port.</summary>
public static class ManagerChannel
{
    /// <summary>Managers send whole task lists and snapshots; nothing sensible is larger than this.</summary>
    public const int MaxReceiveSizeBytes = 128 * 1024 * 1024;

    /// <summary>Certificates and roots come in far less; a manager that is not trusted yet may not send more.</summary>
    private const int MaxCertificateReceiveSizeBytes = 1024 * 1024;

    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan PingDelay = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan PingTimeout = TimeSpan.FromSeconds(3);

    /// <summary>
    /// As this node, whoever it is at the time: after a renewal new connections show the new certificate, streams that are
    /// open go on over the old one.
    /// </summary>
    /// <param name="source">Who this node is.</param>
    /// <param name="address">host:port of the manager.</param>
    /// <exception cref="FormatException">The address is not of that form.</exception>
    public static GrpcChannel As(NodeIdentitySource source, string address)
    {
        ArgumentNullException.ThrowIfNull(source);
        var endpoint = ParseAddress(address);
        return Open(new IdentityFollowingHandler(source, id => Handler(ClientTls.As(id), endpoint)), RoleNames.Manager, MaxReceiveSizeBytes);
    }

    /// <summary>What requests are handed on with, as this node; the name to ask for is that of managers.</summary>
    /// <inheritdoc cref="As"/>
    public static HttpMessageInvoker InvokerAs(NodeIdentitySource source, string address)
    {
        ArgumentNullException.ThrowIfNull(source);
        var endpoint = ParseAddress(address);
        return new HttpMessageInvoker(new IdentityFollowingHandler(source, id => Handler(ClientTls.As(id), endpoint, pings: true)));
    }

    /// <summary>Without a certificate, to a manager that leads to the root and signs certificates.</summary>
    /// <exception cref="FormatException">The address is not host:port.</exception>
    public static GrpcChannel Joining(RootCa root, string address) =>
        Open(Handler(ClientTls.Joining(root), ParseAddress(address)), RoleNames.Authority);

    /// <summary>With this certificate, to a manager that signs certificates.</summary>
    /// <exception cref="FormatException">The address is not host:port.</exception>
    public static GrpcChannel Renewing(NodeIdentity identity, string address) =>
        Open(Handler(ClientTls.As(identity), ParseAddress(address)), RoleNames.Manager);

    /// <summary>To whoever answers. Nothing that comes over it may be believed without a check of its own.</summary>
    /// <exception cref="FormatException">The address is not host:port.</exception>
    public static GrpcChannel Unverified(string address)
    {
        var endpoint = ParseAddress(address);
        return Open(Handler(ClientTls.Unverified(), endpoint), endpoint is IPEndPoint { AddressFamily: AddressFamily.InterNetworkV6 } six
            ? $"[{six.Address}]:{six.Port}"
            : address);
    }

    /// <summary>Reads host:port; IPv6 addresses stand in brackets.</summary>
    /// <exception cref="FormatException">It is not of that form.</exception>
    public static EndPoint ParseAddress(string address)
    {
        ArgumentNullException.ThrowIfNull(address);
        var colon = address.LastIndexOf(':');
        if (colon > 0
            && int.TryParse(address.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port)
            && port is > 0 and <= IPEndPoint.MaxPort)
        {
            var host = address[..colon].TrimStart('[').TrimEnd(']');
            if (IPAddress.TryParse(host, out var ip))
            {
                return new IPEndPoint(ip, port);
            }

            if (Uri.CheckHostName(host) == UriHostNameType.Dns)
            {
                return new DnsEndPoint(host, port);
            }
        }

        throw new FormatException($"invalid manager address \"{address}\": expected host:port, for instance 10.0.0.1:4242");
    }

    private static AlpnTolerantHandler Handler(SslClientAuthenticationOptions tls, EndPoint endpoint, bool pings = false) => new(
        Sockets(tls, async (_, ct) => await ConnectAsync(endpoint, ct), pings),
        () => Sockets(tls, async (context, ct) => await SecureAsync(await ConnectAsync(endpoint, ct), tls, context.DnsEndPoint.Host, ct), pings));

    // Pings end what a silent manager holds. Only to managers of our own: Go's hang up on who pings them often, and a node's
    // heartbeats do the same for it.
    private static SocketsHttpHandler Sockets(
        SslClientAuthenticationOptions tls, Func<SocketsHttpConnectionContext, CancellationToken, ValueTask<Stream>> connect, bool pings) => new()
        {
            KeepAlivePingDelay = pings ? PingDelay : Timeout.InfiniteTimeSpan,
            KeepAlivePingTimeout = PingTimeout,
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
            SslOptions = tls,
            ConnectTimeout = ConnectTimeout,
            UseProxy = false,
            EnableMultipleHttp2Connections = true,
            ConnectCallback = connect,
        };

    internal static async Task<NetworkStream> ConnectAsync(EndPoint endpoint, CancellationToken ct)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(endpoint, ct);
            SilentPeers.Fail(socket);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static async Task<Stream> SecureAsync(Stream plain, SslClientAuthenticationOptions tls, string name, CancellationToken ct)
    {
        var secure = new SslStream(plain);
        try
        {
            await secure.AuthenticateAsClientAsync(ClientTls.WithName(tls, name), ct);
            return secure;
        }
        catch
        {
            await secure.DisposeAsync();
            throw;
        }
    }

    // The name in the URI is what TLS asks for and checks; where to connect is decided by the handler.
    private static GrpcChannel Open(
        HttpMessageHandler handler, string authority, int maxReceiveSizeBytes = MaxCertificateReceiveSizeBytes) =>
        GrpcChannel.ForAddress($"https://{authority}", new GrpcChannelOptions
        {
            HttpHandler = handler,
            DisposeHttpClient = true,
            MaxReceiveMessageSize = maxReceiveSizeBytes,
            MaxSendMessageSize = null,
        });
}
