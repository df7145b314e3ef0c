using System.Net.Http;

namespace Skep.Identity.Tls;

/// <summary>
/// HTTP/2 over TLS with managers that do not say in the handshake that they speak it. A SwarmKit manager forgets to after
/// it has renewed its certificate (source: moby/swarmkit ca/transport.go, loadNewTLSConfig), and .NET then refuses.
/// </summary>
/// <remarks>
/// The way around is HTTP/2 by prior knowledge over a TLS stream of our own. It writes <c>:scheme http</c>, which Go
/// ignores and Kestrel does not accept, so it is taken only when the plain way has failed for that reason.
/// </remarks>
internal sealed class AlpnTolerantHandler(HttpMessageHandler usual, Func<HttpMessageHandler> openPriorKnowledge) : HttpMessageHandler
{
    private readonly HttpMessageInvoker _usual = new(usual, disposeHandler: true);
    private readonly Lazy<HttpMessageInvoker> _priorKnowledge = new(() => new HttpMessageInvoker(openPriorKnowledge(), disposeHandler: true));

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (!_priorKnowledge.IsValueCreated)
        {
            try
            {
                return await _usual.SendAsync(request, cancellationToken);
            }
            catch (HttpRequestException e) when (e.HttpRequestError == HttpRequestError.VersionNegotiationError)
            {
                // No byte of the request was sent, for there was no connection.
            }
        }

        request.RequestUri = new UriBuilder(request.RequestUri!) { Scheme = Uri.UriSchemeHttp, Port = -1 }.Uri;
        return await _priorKnowledge.Value.SendAsync(request, cancellationToken);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _usual.Dispose();
            if (_priorKnowledge.IsValueCreated)
            {
                _priorKnowledge.Value.Dispose();
            }
        }

        base.Dispose(disposing);
    }
}
