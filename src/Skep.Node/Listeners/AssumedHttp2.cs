using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace Skep.Node.Listeners;

/// <summary>
/// Takes connections for HTTP/2 whose TLS handshake did not say what they speak. A SwarmKit node forgets to say it once it
/// has renewed its certificate (source: moby/swarmkit ca/transport.go, loadNewTLSConfig), and Kestrel would hang up on it.
/// </summary>
internal static class AssumedHttp2
{
    private static readonly ReadOnlyMemory<byte> Http2 = "h2"u8.ToArray();

    /// <summary>Put after <c>UseHttps</c> on a listener that speaks nothing else.</summary>
    public static IConnectionBuilder UseAssumedHttp2(this IConnectionBuilder listener) => listener.Use(next => connection =>
    {
        if (connection.Features.Get<ITlsApplicationProtocolFeature>() is not { ApplicationProtocol.IsEmpty: false })
        {
            connection.Features.Set<ITlsApplicationProtocolFeature>(new Assumed());
        }

        return next(connection);
    });

    private sealed class Assumed : ITlsApplicationProtocolFeature
    {
        public ReadOnlyMemory<byte> ApplicationProtocol => Http2;
    }
}
