using System.Net.Http;
using System.Net.Security;
using System.Net.Sockets;
using Docker.Swarmkit.V1;
using Grpc.Core;

namespace Swarmctl.Connection;

/// <summary>
/// The way to a manager's control socket. Skep's takes plaintext HTTP/2, which starts at once; Docker's and SwarmKit's own take
/// TLS only, whose certificate proves nothing that the socket's file does not.
/// </summary>
internal sealed class ControlConnection : IDisposable
{
    private readonly HttpMessageInvoker http;
    private OpeningStream? opening;

    /// <param name="socket">The control socket's path.</param>
    /// <param name="tls">Whether it takes TLS only.</param>
    /// <param name="stale">Told why an answer may be out of date.</param>
    public ControlConnection(string socket, bool tls, Action<string> stale)
    {
        Socket = socket;
        http = new HttpMessageInvoker(new SocketsHttpHandler
        {
            ConnectCallback = (_, ct) => OpenAsync(socket, tls, ct),
            UseProxy = false,
            // No scavenging of connections, whose timer would be a thread: the process ends long before.
            PooledConnectionIdleTimeout = Timeout.InfiniteTimeSpan,
            AllowAutoRedirect = false,
            ActivityHeadersPropagator = null,
        });
        Invoker = new HttpInvoker(http, stale);
        Control = new Control.ControlClient(Invoker);
    }

    public string Socket { get; }

    public CallInvoker Invoker { get; }

    public Control.ControlClient Control { get; }

    /// <summary>Whether a failed call was refused before the server took anything, since it speaks TLS only.</summary>
    public bool WantsTls => opening is { WantsTls: true };

    /// <summary>What to tell the user when the socket could not be reached; null when it was.</summary>
    public static string? Unreachable(RpcException e, string socket) => WhyUnreachable(e, socket) is { } why
        ? $"cannot connect to {socket}: {why}. Is swarmd running, and is its control socket named by --socket or SWARM_SOCKET?"
        : null;

    /// <summary>Why the socket could not be reached; null when it was.</summary>
    public static string? WhyUnreachable(RpcException e, string socket)
    {
        for (Exception? inner = e.Status.DebugException; inner is not null; inner = inner.InnerException)
        {
            if (inner is SocketException s)
            {
                return s.SocketErrorCode switch
                {
                    SocketError.AddressNotAvailable or SocketError.AddressFamilyNotSupported => "no such file",
                    SocketError.ConnectionRefused => "nobody listens on it",
                    SocketError.AccessDenied => "permission denied; the socket is its owner's alone",
                    _ => File.Exists(socket) ? s.Message : "no such file",
                };
            }
        }
        return null;
    }

    public void Dispose() => http.Dispose();

    private async ValueTask<Stream> OpenAsync(string path, bool tls, CancellationToken ct)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), ct).ConfigureAwait(false);
            var stream = new NetworkStream(socket, ownsSocket: true);
            return tls ? await SecureAsync(stream, ct).ConfigureAwait(false) : opening = new OpeningStream(stream);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static async Task<Stream> SecureAsync(Stream stream, CancellationToken ct)
    {
        var secured = new SslStream(stream);
        await secured.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions
            {
                TargetHost = "localhost",
                ApplicationProtocols = [SslApplicationProtocol.Http2],
#pragma warning disable CA5359 // the peer is whoever owns the socket's file, whatever its certificate says
                RemoteCertificateValidationCallback = static (_, _, _, _) => true,
#pragma warning restore CA5359
            },
            ct).ConfigureAwait(false);
        return secured;
    }
}
