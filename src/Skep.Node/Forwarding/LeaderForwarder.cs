using System.Collections.Concurrent;
using System.Security.Cryptography.X509Certificates;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Skep.Identity;
using Skep.Identity.Authorization;
using Skep.Identity.Certificates;
using Skep.Identity.Tls;
using Skep.Manager.Certificates;
using Skep.Node.Listeners;
using Skep.Store;
using Skep.Store.Durability;
using Skep.Store.Members;
using Yarp.ReverseProxy.Forwarder;

namespace Skep.Node.Forwarding;

/// <summary>
/// Brings each call to where it is answered: here, or at the leader, whichever manager was called. While there is no leader a call
/// waits a moment for one; then reads are answered from what is here, with a warning, and writes are refused with what is missing.
/// </summary>
internal sealed class LeaderForwarder : IDisposable
{
    /// <summary>Response header of an answer that may be stale, with the reason.</summary>
    public const string StaleHeader = "skep-may-be-stale";

    // One message of the greatest size that a manager takes, and what gRPC puts around it.
    private const int MaxRequestSizeBytes = (4 * 1024 * 1024) + 1024;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan RetryPause = TimeSpan.FromMilliseconds(50);

    private static readonly ForwarderRequestConfig Config = new()
    {
        Version = System.Net.HttpVersion.Version20,
        VersionPolicy = HttpVersionPolicy.RequestVersionExact,

        // Streams are silent for as long as nothing happens; HTTP/2 pings end those of a leader that is cut off.
        ActivityTimeout = TimeSpan.FromDays(1),
        AllowResponseBuffering = false,
    };

    private readonly DurableStore store;
    private readonly NodeIdentitySource identity;
    private readonly LeaderWatch watch;
    private readonly IHttpForwarder forwarder;
    private readonly AuthorizingInterceptor authorization;
    private readonly Func<string> advertised;
    private readonly TimeProvider time;
    private readonly ConcurrentDictionary<string, HttpMessageInvoker> leaders = new(StringComparer.Ordinal);
    private volatile bool founded;

    public LeaderForwarder(
        DurableStore store, NodeIdentitySource identity, LeaderWatch watch, IHttpForwarder forwarder, AuthorizingInterceptor authorization, Func<string> advertised, TimeProvider time) =>
        (this.store, this.identity, this.watch, this.forwarder, this.authorization, this.advertised, this.time) =
        (store, identity, watch, forwarder, authorization, advertised, time);

    public async Task InvokeAsync(HttpContext http, RequestDelegate next)
    {
        string method = http.Request.Path.Value ?? "";
        CallKind kind = CallKinds.Of(method);
        if (kind == CallKind.Here)
        {
            await next(http).ConfigureAwait(false);
            return;
        }
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted);
        patience.CancelAfter(watch.IsHopeless ? TimeSpan.Zero : Patience);
        try
        {
            if (await RouteAsync(http, method, kind, next, patience.Token).ConfigureAwait(false))
            {
                return;
            }
        }
        catch (OperationCanceledException) when (!http.RequestAborted.IsCancellationRequested)
        {
            // Nobody came to lead in time.
        }
        catch (StoreException e)
        {
            GrpcRefusal.Write(http, StatusCode.Unavailable, e.Message);
            return;
        }
        if (kind != CallKind.Read)
        {
            GrpcRefusal.Write(http, StatusCode.Unavailable, watch.WhyNoLeader());
            return;
        }
        if (!IsFounded())
        {
            GrpcRefusal.Write(http, StatusCode.Unavailable, watch.WhyNothingIsKnown());
            return;
        }
        http.Response.Headers[StaleHeader] = watch.WhyStale();
        await next(http).ConfigureAwait(false);
    }

    public void Dispose()
    {
        foreach (HttpMessageInvoker invoker in leaders.Values)
        {
            invoker.Dispose();
        }
    }

    /// <returns>Whether the call was answered.</returns>
    private async Task<bool> RouteAsync(HttpContext http, string method, CallKind kind, RequestDelegate next, CancellationToken patience)
    {
        while (true)
        {
            MembersView view = store.Members.View;
            if (view.IsLeading)
            {
                await FoundedAsync(patience).ConfigureAwait(false);
                if (kind == CallKind.Read && !await IsCurrentAsync(patience).ConfigureAwait(false))
                {
                    await WaitForAsync(v => v != view, patience).ConfigureAwait(false);
                    continue;
                }
                await next(http).ConfigureAwait(false);
                return true;
            }
            if (view.LeaderId != view.SelfId && view.Find(view.LeaderId) is { } leader)
            {
                if (await ForwardAsync(http, method, kind, leader.Address, patience).ConfigureAwait(false))
                {
                    return true;
                }

                // It was not reached: it may be gone without anyone having noticed yet.
                await Task.Delay(RetryPause, time, patience).ConfigureAwait(false);
                continue;
            }
            await WaitForAsync(v => v.IsLeading || (v.LeaderId != 0 && v.LeaderId != v.SelfId && v.Find(v.LeaderId) is not null), patience).ConfigureAwait(false);
        }
    }

    // A founder leads a moment before it has written the cluster object, and a member that just started learns late how far its log
    // counts. What they would say before, that there is no such object, is not true.
    private bool IsFounded() => founded || (founded = store.Store.Read(ClusterObject.Find) is not null);

    private async Task FoundedAsync(CancellationToken ct)
    {
        while (!IsFounded())
        {
            await Task.Delay(RetryPause, time, ct).ConfigureAwait(false);
        }
    }

    /// <exception cref="StoreException">This manager stops, or had to.</exception>
    private async Task WaitForAsync(Func<MembersView, bool> wanted, CancellationToken ct)
    {
        try
        {
            await store.Members.WaitForAsync(wanted, ct).ConfigureAwait(false);
        }
        catch (ObjectDisposedException e)
        {
            throw new StoreException(StoreErrorKind.Stopped, "this manager stops", e);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            throw new StoreException(StoreErrorKind.Stopped, $"this manager cannot go on: {e.Message}", e);
        }
    }

    private async Task<bool> IsCurrentAsync(CancellationToken ct)
    {
        try
        {
            await store.ReadBarrierAsync(ct).ConfigureAwait(false);
            return true;
        }
        catch (StoreException)
        {
            return false;
        }
    }

    /// <returns>False when nothing was answered and the call may be sent again.</returns>
    private async Task<bool> ForwardAsync(HttpContext http, string method, CallKind kind, string address, CancellationToken patience)
    {
        CallerIdentity? caller = null;
        using IDisposable? open = authorization.AdmitForwarded(http, method, out caller, out Status refused);
        if (refused.StatusCode != StatusCode.OK)
        {
            GrpcRefusal.Write(http, refused.StatusCode, refused.Detail);
            return true;
        }
        if (http.Request.Headers.ContainsKey(CallHeaders.Redirect))
        {
            GrpcRefusal.Write(http, StatusCode.Unavailable, $"the lead has gone from this manager to {address}; call again");
            http.Response.Headers[CallHeaders.NotLeading] = address;
            return true;
        }
        if (CallKinds.SendsOneMessage(method) && !await BufferAsync(http, patience).ConfigureAwait(false))
        {
            GrpcRefusal.Write(http, StatusCode.ResourceExhausted, $"a request of more than {MaxRequestSizeBytes} bytes is not taken");
            return true;
        }
        HttpMessageInvoker invoker = leaders.GetOrAdd(address, a => ManagerChannel.InvokerAs(identity, a));
        var headers = new CallHeaders(caller, advertised());
        ForwarderError error = await forwarder.SendAsync(http, $"https://{RoleNames.Manager}", invoker, Config, headers, CancellationToken.None).ConfigureAwait(false);
        if (http.RequestAborted.IsCancellationRequested || (error == ForwarderError.None && !headers.MetNoLeader))
        {
            return true;
        }

        // A read does nothing, wherever it broke off; anything else only where the leader cannot have seen it.
        bool again = headers.MetNoLeader || kind == CallKind.Read || (error == ForwarderError.Request && NeverArrived(http));
        if (again && !http.Response.HasStarted && CallKinds.SendsOneMessage(method))
        {
            http.Response.Clear();
            http.Request.Body.Position = 0;
            return false;
        }
        if (headers.MetNoLeader)
        {
            GrpcRefusal.Write(http, StatusCode.Unavailable, $"the lead has gone from the manager at {address}; call again");
            return true;
        }
        GrpcRefusal.Write(http, StatusCode.Unavailable, $"the connection to the leading manager at {address} broke; whether it did what was asked is not known: look before you ask again");
        return true;
    }

    // A connection that was never made has carried nothing.
    private static bool NeverArrived(HttpContext http) =>
        http.Features.Get<IForwarderErrorFeature>()?.Exception is HttpRequestException
        {
            HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.SecureConnectionError or HttpRequestError.NameResolutionError,
        };

    private static async Task<bool> BufferAsync(HttpContext http, CancellationToken ct)
    {
        if (http.Request.Body is MemoryStream)
        {
            return true;
        }
        var body = new MemoryStream();
        byte[] chunk = new byte[16 * 1024];
        int read;
        while ((read = await http.Request.Body.ReadAsync(chunk, ct).ConfigureAwait(false)) > 0)
        {
            if (body.Length + read > MaxRequestSizeBytes)
            {
                return false;
            }
            body.Write(chunk, 0, read);
        }
        body.Position = 0;
        http.Request.Body = body;
        return true;
    }
}
