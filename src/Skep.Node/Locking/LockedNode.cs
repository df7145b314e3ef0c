using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Skep.Identity.Keys;
using Skep.Node.Forwarding;
using Skep.Node.Listeners;

namespace Skep.Node.Locking;

/// <summary>
/// A manager whose key file is locked and that was given no key: it serves its control socket alone, where it says so and can be
/// unlocked.
/// </summary>
internal static class LockedNode
{
    public const string Refusal =
        "this manager is locked; unlock it with: swarmctl cluster unlock (another manager's `swarmctl cluster unlock-key default` shows the key)";

    private const int MaxMessageBytes = 4 * 1024;
    private const int MaxConnections = 100;

    /// <summary>Serves until the right key has come.</summary>
    /// <param name="controlSocket">Path of the socket.</param>
    /// <param name="open">The key file under a key.</param>
    /// <param name="logs">Where the server says what goes wrong.</param>
    /// <param name="time">Paces attempts.</param>
    /// <param name="ct">Ends the waiting.</param>
    /// <returns>The key file, open.</returns>
    /// <exception cref="NodeStartException">The socket cannot be had.</exception>
    public static async Task<NodeKeyFile> WaitAsync(string controlSocket, Func<byte[], NodeKeyFile> open, ILoggerFactory logs, TimeProvider time, CancellationToken ct)
    {
        var attempts = new UnlockAttempts(open, time);
        using X509Certificate2 certificate = MakeCertificate(time);
        await using WebApplication app = await StartAsync(controlSocket, attempts, certificate, logs, time).ConfigureAwait(false);
        try
        {
            return await attempts.Unlocked.WaitAsync(ct).ConfigureAwait(false);
        }
        finally
        {
            // The one who gave the key hears that it was right before the socket goes.
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(2));
            await app.StopAsync(patience.Token).ConfigureAwait(false);
        }
    }

    private static async Task<WebApplication> StartAsync(string controlSocket, UnlockAttempts attempts, X509Certificate2 certificate, ILoggerFactory logs, TimeProvider time)
    {
        ControlSocketFile.Prepare(controlSocket);
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new());
        builder.Services.AddSingleton(logs);
        builder.Services.AddLogging();
        builder.Services.AddRoutingCore();
        builder.Services.AddSingleton(new UnlockingService(attempts));
        builder.Services.AddGrpc(grpc => grpc.MaxReceiveMessageSize = MaxMessageBytes);
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.AllowAlternateSchemes = true;
            kestrel.Limits.MaxConcurrentConnections = MaxConnections;
            kestrel.Limits.Http2.HeaderTableSize = 0;
            kestrel.ListenUnixSocket(controlSocket, listen =>
            {
                listen.Protocols = HttpProtocols.Http2;
                listen.Use(ControlSocketConnection.Middleware(() => Tls(certificate), time));
            });
        });
        WebApplication app = builder.Build();
        app.Use(static next => http => http.Request.Path.StartsWithSegments("/skep.v1.Unlocking", StringComparison.Ordinal) ? next(http) : RefuseAsync(http));
        app.MapGrpcService<UnlockingService>();
        try
        {
            using IDisposable mask = ControlSocketFile.OwnerOnly();
            await app.StartAsync().ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or SocketException or AddressInUseException)
        {
            await app.DisposeAsync().ConfigureAwait(false);
            throw new NodeStartException($"cannot listen on --listen-control-api {controlSocket}: {e.Message}", e);
        }
        ControlSocketFile.Restrict(controlSocket);
        return app;
    }

    private static Task RefuseAsync(HttpContext http)
    {
        GrpcRefusal.Write(http, StatusCode.FailedPrecondition, Refusal);
        return Task.CompletedTask;
    }

    private static SslServerAuthenticationOptions Tls(X509Certificate2 certificate) => new()
    {
        ServerCertificate = certificate,
        EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
        ApplicationProtocols = [SslApplicationProtocol.Http2],
    };

    // The node's own is locked. Callers of the control socket take any: the file's permissions are what they trust.
    private static X509Certificate2 MakeCertificate(TimeProvider time)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=locked", key, HashAlgorithmName.SHA256);
        DateTimeOffset now = time.GetUtcNow();
        return request.CreateSelfSigned(now.AddDays(-1), now.AddYears(10));
    }
}
