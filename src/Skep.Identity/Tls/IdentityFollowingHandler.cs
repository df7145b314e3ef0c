namespace Skep.Identity.Tls;

/// <summary>
/// Sends each request over connections of the identity that is in force. A handler of a former identity is let go, not
/// disposed: its open streams go on, its idle connections time out.
/// </summary>
internal sealed class IdentityFollowingHandler(NodeIdentitySource source, Func<NodeIdentity, HttpMessageHandler> open)
    : HttpMessageHandler
{
    private readonly Lock _gate = new();
    private (NodeIdentity Identity, HttpMessageInvoker Invoker)? _inForce;
    private bool _disposed;

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
        InForce().SendAsync(request, cancellationToken);

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            lock (_gate)
            {
                _disposed = true;
                _inForce?.Invoker.Dispose();
                _inForce = null;
            }
        }

        base.Dispose(disposing);
    }

    private HttpMessageInvoker InForce()
    {
        var identity = source.Current;
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_inForce is { } kept && ReferenceEquals(kept.Identity, identity))
            {
                return kept.Invoker;
            }

            var invoker = new HttpMessageInvoker(open(identity), disposeHandler: true);
            _inForce = (identity, invoker);
            return invoker;
        }
    }
}
