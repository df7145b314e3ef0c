using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Skep.Identity.Authorization;
using Skep.Identity.Certificates;
using Yarp.ReverseProxy.Forwarder;

namespace Skep.Node.Forwarding;

/// <summary>
/// A call's headers as the leader is to see them: whatever the caller claimed of forwarding is taken away, and the truth about the
/// caller put in. A call from the control socket is this manager's own and goes out under its own certificate alone.
/// </summary>
/// <param name="caller">Who called; null for the control socket.</param>
/// <param name="via">This manager's address, by which the leader knows that the call was handed on once.</param>
internal sealed class CallHeaders(CallerIdentity? caller, string via) : HttpTransformer
{
    /// <summary>SwarmKit's mark of a call that was handed on (source: moby/swarmkit protobuf/plugin/raftproxy).</summary>
    public const string Redirect = "redirect";

    /// <summary>In the refusal of a manager that does not lead (any more): it has done nothing, so that the call may be sent to another.</summary>
    public const string NotLeading = "skep-not-leading";

    /// <summary>Whether the manager that was sent the call did not lead; nothing was answered then.</summary>
    public bool MetNoLeader { get; private set; }

    public override async ValueTask TransformRequestAsync(HttpContext httpContext, HttpRequestMessage proxyRequest, string destinationPrefix, CancellationToken cancellationToken)
    {
        await base.TransformRequestAsync(httpContext, proxyRequest, destinationPrefix, cancellationToken).ConfigureAwait(false);

        // The authority is the destination's, which TLS asks for.
        proxyRequest.Headers.Host = null;
        foreach (string name in ForwardedCertificate.HeaderNames)
        {
            proxyRequest.Headers.Remove(name);
        }
        proxyRequest.Headers.Remove(Redirect);
        proxyRequest.Headers.TryAddWithoutValidation(Redirect, via);
        if (caller is null)
        {
            return;
        }
        var facts = new CertificateFacts(caller.NodeId, caller.Roles, caller.ClusterId);
        foreach (Metadata.Entry header in new ForwardedCertificate(facts, caller.RemoteAddress).AppendTo([]))
        {
            proxyRequest.Headers.TryAddWithoutValidation(header.Key, header.Value);
        }
    }

    public override ValueTask<bool> TransformResponseAsync(HttpContext httpContext, HttpResponseMessage? proxyResponse, CancellationToken cancellationToken)
    {
        MetNoLeader = proxyResponse is not null && proxyResponse.Headers.Contains(NotLeading);
        return MetNoLeader ? ValueTask.FromResult(false) : base.TransformResponseAsync(httpContext, proxyResponse, cancellationToken);
    }
}
