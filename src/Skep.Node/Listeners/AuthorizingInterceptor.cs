using System.Security.Cryptography.X509Certificates;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Microsoft.AspNetCore.Http;
using Skep.Identity;
using Skep.Identity.Authorization;
using Skep.Identity.Certificates;

namespace Skep.Node.Listeners;

/// <summary>
/// Decides on every call before a service sees it: calls on the control socket run as the node itself, calls on the remote port
/// as what their certificate says. A removed node's open streams are closed.
/// </summary>
internal sealed class AuthorizingInterceptor(NodeIdentitySource identity, Func<ClusterMembership> cluster, ActiveStreams streams) : Interceptor
{
    public override async Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        Admit(context)?.Dispose();
        return await continuation(request, context).ConfigureAwait(false);
    }

    public override async Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request, IServerStreamWriter<TResponse> responseStream, ServerCallContext context, ServerStreamingServerMethod<TRequest, TResponse> continuation)
    {
        using Admission? open = Admit(context);
        await continuation(request, responseStream, context).ConfigureAwait(false);
    }

    public override async Task<TResponse> ClientStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream, ServerCallContext context, ClientStreamingServerMethod<TRequest, TResponse> continuation)
    {
        using Admission? open = Admit(context);
        return await continuation(requestStream, context).ConfigureAwait(false);
    }

    public override async Task DuplexStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream, IServerStreamWriter<TResponse> responseStream, ServerCallContext context, DuplexStreamingServerMethod<TRequest, TResponse> continuation)
    {
        using Admission? open = Admit(context);
        await continuation(requestStream, responseStream, context).ConfigureAwait(false);
    }

    /// <summary>Decides on a call that is handed on to the leader.</summary>
    /// <param name="http">The call.</param>
    /// <param name="method">Its method.</param>
    /// <param name="caller">Who calls; null for the control socket, whose calls are this node's own.</param>
    /// <param name="refused">Why it is refused; OK where it is not.</param>
    /// <returns>Open for as long as the call is; ends it when its node is removed.</returns>
    public IDisposable? AdmitForwarded(HttpContext http, string method, out CallerIdentity? caller, out Status refused)
    {
        caller = null;
        refused = Status.DefaultSuccess;
        if (http.Features.Get<ControlSocketFeature>() is not null)
        {
            return null;
        }
        var headers = new Metadata();
        foreach (string name in ForwardedCertificate.HeaderNames)
        {
            foreach (string? value in http.Request.Headers[name])
            {
                headers.Add(name, value ?? "");
            }
        }
        try
        {
            (caller, Admission? open) = Admit(http, headers, method);
            return open;
        }
        catch (RpcException e)
        {
            refused = e.Status;
            return null;
        }
    }

    private Admission? Admit(ServerCallContext context)
    {
        HttpContext http = context.GetHttpContext();
        if (http.Features.Get<ControlSocketFeature>() is not null)
        {
            context.SetCaller(CallerIdentity.Local(identity.Current));
            return null;
        }
        (CallerIdentity caller, Admission? open) = Admit(http, context.RequestHeaders, context.Method);
        context.SetCaller(caller);
        return open;
    }

    private (CallerIdentity Caller, Admission? Open) Admit(HttpContext http, Metadata headers, string method)
    {
        X509Certificate2? certificate = http.Connection.ClientCertificate;
        CertificateFacts? facts = certificate is null ? null : CertificateFacts.Of(certificate);

        // Entered first and authorised then, so that a removal in between is seen by one of the two. A call that was handed on is
        // both its caller's and the manager's that handed it on.
        string? original = ForwardedCertificate.From(headers)?.Certificate.CommonName;
        Admission? open = facts is null ? null
            : new Admission(string.IsNullOrEmpty(original) ? streams.Enter(facts.CommonName) : streams.Enter(original, facts.CommonName), http);
        try
        {
            return (Authorizer.Authorize(facts, headers, method, cluster(), RemoteAddress(http)), open);
        }
        catch
        {
            open?.Dispose();
            throw;
        }
    }

    private static string? RemoteAddress(HttpContext http) =>
        http.Connection.RemoteIpAddress is { } ip
            ? new System.Net.IPEndPoint(ip.IsIPv4MappedToIPv6 ? ip.MapToIPv4() : ip, http.Connection.RemotePort).ToString()
            : null;

    private sealed class Admission : IDisposable
    {
        private readonly ActiveStreams.IStream stream;
        private readonly CancellationTokenRegistration closing;

        public Admission(ActiveStreams.IStream stream, HttpContext http)
        {
            this.stream = stream;
            closing = stream.Removed.Register(http.Abort);
        }

        public void Dispose()
        {
            closing.Dispose();
            stream.Dispose();
        }
    }
}
