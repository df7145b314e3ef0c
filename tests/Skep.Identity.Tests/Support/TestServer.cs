using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Skep.Identity.Tls;

namespace Skep.Identity.Tests.Support;

/// <summary>A manager's remote port, with the TLS of <see cref="ServerTls"/> and whatever gRPC services a test gives it.</summary>
internal sealed class TestServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private TestServer(WebApplication app) => _app = app;

    public string Address => new Uri(
        _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single()).Authority;

    public static async Task<TestServer> StartAsync(
        NodeIdentitySource identity, Action<WebApplication> map, Action<IServiceCollection>? services = null, bool saysHttp2 = true)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddGrpc();
        services?.Invoke(builder.Services);
        var tls = new ServerTls(identity);
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen =>
        {
            listen.Protocols = HttpProtocols.Http2;
            listen.UseHttps(new TlsHandshakeCallbackOptions
            {
                OnConnection = _ =>
                {
                    var options = tls.ForRemoteApi();
                    options.ApplicationProtocols = saysHttp2 ? options.ApplicationProtocols : null;
                    return ValueTask.FromResult(options);
                },
            });
            if (!saysHttp2)
            {
                listen.Use(next => connection =>
                {
                    connection.Features.Set<ITlsApplicationProtocolFeature>(new Assumed());
                    return next(connection);
                });
            }
        }));
        if (!saysHttp2)
        {
            // Go's servers do not look at it.
            builder.WebHost.ConfigureKestrel(kestrel => kestrel.AllowAlternateSchemes = true);
        }

        var app = builder.Build();
        map(app);
        await app.StartAsync();
        return new TestServer(app);
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    private sealed class Assumed : ITlsApplicationProtocolFeature
    {
        public ReadOnlyMemory<byte> ApplicationProtocol { get; } = "h2"u8.ToArray();
    }
}
