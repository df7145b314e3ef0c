using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OpenTelemetry.Metrics;

namespace Skep.Node.Metrics;

/// <summary>Serves metrics to Prometheus at <c>/metrics</c>. It has no TLS and no login, so it listens on the loopback only.</summary>
internal sealed class MetricsServer : IAsyncDisposable
{
    private readonly WebApplication app;

    private MetricsServer(WebApplication app) => this.app = app;

    /// <exception cref="NodeStartException">The address is taken or not on the loopback.</exception>
    public static async Task<MetricsServer> StartAsync(string address, ILoggerFactory logs)
    {
        IPEndPoint endpoint = ListenAddress.Parse(address, "--listen-metrics");
        if (!IPAddress.IsLoopback(endpoint.Address))
        {
            throw new NodeStartException($"--listen-metrics {address}: metrics are served without TLS, so on the loopback only; use 127.0.0.1:{endpoint.Port} and a proxy in front of it");
        }
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new());
        builder.Services.AddSingleton(logs);
        builder.Services.AddLogging();
        builder.Services.AddRoutingCore();
        builder.Services.AddOpenTelemetry().WithMetrics(metrics => metrics
            .AddMeter(NodeMetrics.MeterName, NodeMetrics.CoordinationMeterName, "System.Runtime", "Microsoft.AspNetCore.Server.Kestrel")
            .AddPrometheusExporter());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxConcurrentConnections = 100;
            kestrel.Listen(endpoint);
        });
        WebApplication app = builder.Build();
        app.MapPrometheusScrapingEndpoint("/metrics");
        try
        {
            await app.StartAsync().ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or System.Net.Sockets.SocketException)
        {
            await app.DisposeAsync().ConfigureAwait(false);
            throw new NodeStartException($"--listen-metrics {address}: {e.Message}", e);
        }
        return new MetricsServer(app);
    }

    public ValueTask DisposeAsync() => app.DisposeAsync();
}
