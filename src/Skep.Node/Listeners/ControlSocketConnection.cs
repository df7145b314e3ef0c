using System.Buffers;
using System.IO.Pipelines;
using System.Net.Security;
using Microsoft.AspNetCore.Connections;
using Skep.Node.Authority;

namespace Skep.Node.Listeners;

/// <summary>
/// A connection on the control socket. Its first byte tells who calls: 0x16 begins a TLS handshake, as SwarmKit's own client
/// and Docker's do; anything else is taken as plaintext HTTP/2, which starts ten times faster. The file's permissions guard both.
/// </summary>
internal static class ControlSocketConnection
{
    private const byte TlsHandshake = 0x16;

    // An idle stranger must not hold a connection for free.
    private static readonly TimeSpan OpeningTimeout = TimeSpan.FromSeconds(10);

    /// <summary>The middleware of the control socket's listener.</summary>
    /// <param name="tls">How a caller that wants TLS is answered; asked for each connection.</param>
    /// <param name="time">Bounds the opening.</param>
    public static Func<ConnectionDelegate, ConnectionDelegate> Middleware(Func<SslServerAuthenticationOptions> tls, TimeProvider time) =>
        next => connection => RunAsync(connection, next, tls, time);

    private static async Task RunAsync(ConnectionContext connection, ConnectionDelegate next, Func<SslServerAuthenticationOptions> tls, TimeProvider time)
    {
        connection.Features.Set(ControlSocketFeature.Instance);
        using var opening = new CancellationTokenSource(OpeningTimeout, time);
        try
        {
            byte? first = await PeekAsync(connection.Transport.Input, opening.Token).ConfigureAwait(false);
            if (first == TlsHandshake)
            {
                await RunTlsAsync(connection, next, tls, opening.Token).ConfigureAwait(false);
            }
            else if (first is not null)
            {
                await RewrittenInput.RunAsync(connection, next).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or System.Security.Authentication.AuthenticationException)
        {
            connection.Abort(new ConnectionAbortedException("the control socket's client did not open its connection: " + e.Message));
        }
    }

    private static async Task<byte?> PeekAsync(PipeReader input, CancellationToken ct)
    {
        while (true)
        {
            ReadResult read = await input.ReadAsync(ct).ConfigureAwait(false);
            if (!read.Buffer.IsEmpty)
            {
                byte first = read.Buffer.FirstSpan[0];
                input.AdvanceTo(read.Buffer.Start);
                return first;
            }
            if (read.IsCompleted)
            {
                return null;
            }
            input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    private static async Task RunTlsAsync(ConnectionContext connection, ConnectionDelegate next, Func<SslServerAuthenticationOptions> tls, CancellationToken ct)
    {
        IDuplexPipe original = connection.Transport;
        var raw = new DuplexPipeStream(original);
        await using var secured = new SslStream(raw, leaveInnerStreamOpen: true);
        await secured.AuthenticateAsServerAsync(tls(), ct).ConfigureAwait(false);
        var input = PipeReader.Create(secured, new StreamPipeReaderOptions(leaveOpen: true));
        var output = PipeWriter.Create(secured, new StreamPipeWriterOptions(leaveOpen: true));
        connection.Transport = new DuplexPipe(input, output);
        try
        {
            await RewrittenInput.RunAsync(connection, next).ConfigureAwait(false);
        }
        finally
        {
            connection.Transport = original;
            await input.CompleteAsync().ConfigureAwait(false);
            await output.CompleteAsync().ConfigureAwait(false);
        }
    }
}
