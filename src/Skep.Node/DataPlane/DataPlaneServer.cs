using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Skep.DataPlane.Control;
using Skep.Node.Listeners;

namespace Skep.Node.DataPlane;

/// <summary>The data plane's socket, its owner's alone.</summary>
internal sealed class DataPlaneServer : IAsyncDisposable
{
    // A table of ten thousand services and a hundred thousand denied addresses has some megabytes.
    private const int MaxReceiveMessageBytes = 16 * 1024 * 1024;
    private const int MaxConnections = 100;

    private readonly WebApplication app;

    private DataPlaneServer(WebApplication app) => this.app = app;

    /// <exception cref="NodeStartException">The socket's place is not safe or is taken.</exception>
    public static async Task<DataPlaneServer> StartAsync(string socket, DataPlaneService service, ILoggerFactory logs)
    {
        ControlSocketFile.Prepare(socket, "--socket");
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new());
        builder.Services.AddSingleton(logs);
        builder.Services.AddLogging();
        builder.Services.AddRoutingCore();
        builder.Services.AddGrpc(static grpc => grpc.MaxReceiveMessageSize = MaxReceiveMessageBytes);
        builder.Services.AddSingleton(service);
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxConcurrentConnections = MaxConnections;
            kestrel.ListenUnixSocket(socket, static listen => listen.Protocols = HttpProtocols.Http2);
        });
        WebApplication app = builder.Build();
        app.MapGrpcService<DataPlaneService>();
        try
        {
            using IDisposable mask = ControlSocketFile.OwnerOnly();
            await app.StartAsync().ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or System.Net.Sockets.SocketException or AddressInUseException)
        {
            await app.DisposeAsync().ConfigureAwait(false);
            throw new NodeStartException($"cannot listen on --socket {socket}: {e.Message}", e);
        }
        ControlSocketFile.Restrict(socket);
        return new DataPlaneServer(app);
    }

    /// <summary>Stops listening; calls that are under way have a moment to end.</summary>
    public async ValueTask DisposeAsync()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(2));
        await app.StopAsync(patience.Token).ConfigureAwait(false);
        await app.DisposeAsync().ConfigureAwait(false);
    }
}
