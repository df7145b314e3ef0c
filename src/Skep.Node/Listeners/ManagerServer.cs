using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Skep.Identity.Tls;
using Skep.Node.Forwarding;
using Yarp.ReverseProxy.Forwarder;

namespace Skep.Node.Listeners;

/// <summary>A manager's two listeners over one set of services: the control socket for people here, the remote port for nodes.</summary>
internal sealed class ManagerServer : IAsyncDisposable
{
    // SwarmKit's limit for what a server takes in one message.
    private const int MaxReceiveMessageBytes = 4 * 1024 * 1024;
    private const int MaxConnections = 20_000;
    private const int MaxStreamsPerConnection = 1_000;

    private readonly WebApplication app;

    private readonly LeaderForwarder forwarder;

    private ManagerServer(WebApplication app, LeaderForwarder forwarder) => (this.app, this.forwarder) = (app, forwarder);

    /// <summary>Listens and serves.</summary>
    /// <exception cref="NodeStartException">An address is taken or not this machine's.</exception>
    public static async Task<ManagerServer> StartAsync(
        NodeOptions options, IPEndPoint remote, ServerTls tls, AuthorizingInterceptor authorization, ConsensusConnection consensus,
        Func<IHttpForwarder, LeaderForwarder> forwarding, Action<IServiceCollection> addServices, Action<IEndpointRouteBuilder> mapServices, ILoggerFactory logs, TimeProvider time)
    {
        ControlSocketFile.Prepare(options.ControlSocket);
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new());
        builder.Services.AddSingleton(logs);
        builder.Services.AddLogging();
        builder.Services.AddRoutingCore();
        builder.Services.AddSingleton(authorization);
        builder.Services.AddGrpc(grpc =>
        {
            grpc.MaxReceiveMessageSize = MaxReceiveMessageBytes;
            grpc.MaxSendMessageSize = null;
            grpc.Interceptors.Add<AuthorizingInterceptor>();
            grpc.EnableDetailedErrors = false;
        });
        builder.Services.AddHttpForwarder();
        addServices(builder.Services);

        // Each change of threads wakes another, and an idle manager does little else. Unsafe where a handler blocks: ours await.
        builder.WebHost.UseSockets(static sockets => sockets.UnsafePreferInlineScheduling = true);
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            Limit(kestrel);
            kestrel.ListenUnixSocket(options.ControlSocket, listen =>
            {
                listen.Protocols = HttpProtocols.Http2;
                listen.Use(ControlSocketConnection.Middleware(tls.ForControlSocket, time));
            });
            kestrel.Listen(remote, listen =>
            {
                listen.Protocols = HttpProtocols.Http2;
                listen.UseHttps(new TlsHandshakeCallbackOptions { OnConnection = _ => ValueTask.FromResult(tls.ForRemoteApi()) });
                listen.Use(consensus.Middleware());
                listen.UseAssumedHttp2();
            });
        });
        WebApplication app = builder.Build();
        LeaderForwarder forwarder = forwarding(app.Services.GetRequiredService<IHttpForwarder>());
        app.Use(next => http => forwarder.InvokeAsync(http, next));
        mapServices(app);
        try
        {
            using IDisposable mask = ControlSocketFile.OwnerOnly();
            await app.StartAsync().ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or System.Net.Sockets.SocketException or AddressInUseException)
        {
            await app.DisposeAsync().ConfigureAwait(false);
            throw new NodeStartException($"cannot listen on --listen-remote-api {options.RemoteApi} and --listen-control-api {options.ControlSocket}: {e.Message}", e);
        }
        ControlSocketFile.Restrict(options.ControlSocket);
        return new ManagerServer(app, forwarder);
    }

    /// <summary>Stops listening; calls that are under way have a moment to end.</summary>
    public async ValueTask DisposeAsync()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(2));
        await app.StopAsync(patience.Token).ConfigureAwait(false);
        await app.DisposeAsync().ConfigureAwait(false);
        forwarder.Dispose();
    }

    private static void Limit(KestrelServerOptions kestrel)
    {
        kestrel.AddServerHeader = false;

        // The scheme a client names says nothing here: the control socket has both, and TLS is not Kestrel's on it.
        kestrel.AllowAlternateSchemes = true;
        kestrel.Limits.MaxConcurrentConnections = MaxConnections;
        kestrel.Limits.MaxRequestBodySize = null;
        kestrel.Limits.MinRequestBodyDataRate = null;
        kestrel.Limits.MinResponseDataRate = null;
        kestrel.Limits.KeepAliveTimeout = TimeSpan.FromMinutes(2);

        // With no dynamic table the control socket's rewriter can walk a header block without decoding it.
        kestrel.Limits.Http2.HeaderTableSize = 0;
        kestrel.Limits.Http2.MaxStreamsPerConnection = MaxStreamsPerConnection;
        kestrel.Limits.Http2.KeepAlivePingDelay = TimeSpan.FromSeconds(30);
        kestrel.Limits.Http2.KeepAlivePingTimeout = TimeSpan.FromSeconds(20);
    }
}
