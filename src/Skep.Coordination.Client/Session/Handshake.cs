using System.Net.Security;
using System.Net.Sockets;
using Skep.Jute;

namespace Skep.Coordination.Client.Session;

/// <summary>Opens a connection and brings the session onto it: socket, TLS, connect, identities.</summary>
internal static class Handshake
{
    /// <exception cref="SessionExpiredException">The server does not know the session any more.</exception>
    /// <exception cref="CoordinationException">The server refuses an identity.</exception>
    public static async Task<(Stream Stream, FrameReader Frames)> OpenAsync(
        ServerAddress server, CoordinationClientOptions options, SessionProof proof, IReadOnlyList<AuthInfo> auth, CancellationToken ct)
    {
        Stream stream = await DialAsync(server, options, ct);
        try
        {
            var frames = new FrameReader(stream, options.MaxFrameBytes);
            await stream.WriteAsync(JuteFrame.Make(o => JuteFrame.Put(o, proof.Ask(options.ReadOnlyAllowed))), ct);
            proof.Granted(ReadGrant(await frames.ReadAsync(ct)));
            await ShowAsync(auth, stream, frames, ct);
            return (stream, frames);
        }
        catch
        {
            await stream.DisposeAsync();
            throw;
        }
    }

    /// <summary>A connection without a session.</summary>
    public static async Task<Stream> DialAsync(ServerAddress server, CoordinationClientOptions options, CancellationToken ct)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        Stream? stream = null;
        try
        {
            await socket.ConnectAsync(server.Host, server.Port, ct);
            stream = new NetworkStream(socket, ownsSocket: true);
            if (options.Tls is not null)
            {
                var tls = new SslStream(stream);
                stream = tls;
                await tls.AuthenticateAsClientAsync(TlsOptions.For(options.Tls, server.Host), ct);
            }
            return stream;
        }
        catch
        {
            stream?.Dispose();
            socket.Dispose();
            throw;
        }
    }

    private static ConnectResponse ReadGrant(byte[] frame)
    {
        var reader = new JuteReader(frame);
        return ConnectResponse.Read(ref reader);
    }

    private static async Task ShowAsync(IReadOnlyList<AuthInfo> auth, Stream stream, FrameReader frames, CancellationToken ct)
    {
        foreach (AuthInfo info in auth)
        {
            await stream.WriteAsync(AuthFrame(info).Bytes, ct);
        }
        foreach (AuthInfo info in auth)
        {
            var error = (ErrorCode)ReadHeader(await frames.ReadAsync(ct)).Err;
            if (error != ErrorCode.Ok)
            {
                throw new CoordinationException(error, "", $"the server refused the identity of scheme '{info.Scheme}' ({error})");
            }
        }
    }

    public static RequestFrame AuthFrame(AuthInfo info)
    {
        var frame = RequestFrame.Make(OpCode.Auth, new AuthPacket(0, info.Scheme, info.Proof));
        frame.SetXid(Request.AuthXid);
        return frame;
    }

    private static ReplyHeader ReadHeader(byte[] frame)
    {
        var reader = new JuteReader(frame);
        return ReplyHeader.Read(ref reader);
    }
}
