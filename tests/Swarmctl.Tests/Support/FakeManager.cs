using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Docker.Swarmkit.V1;
using Google.Protobuf;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Swarmctl.Connection;

namespace Swarmctl.Tests.Support;

/// <summary>A manager's control socket, and command lines run against it in this process.</summary>
public sealed class FakeManager : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("swarmctl-").FullName;
    private WebApplication? _server;

    public FakeControl Control { get; } = new();

    public FakeLogs Logs { get; } = new();

    public FakeWhy Why { get; } = new();

    public FakeCa Ca { get; } = new();

    public FakeManagers Managers { get; } = new();

    public FakeUnlocking Unlocking { get; } = new();

    /// <summary>Why every answer may be out of date; null where none may.</summary>
    public string? MayBeStale { get; set; }

    public FakeTimeProvider Clock { get; } = new(RedisCluster.Start);

    public string Socket => Path.Combine(_folder, "swarm.sock");

    /// <summary>Starts to listen: in plaintext, or with TLS only, as Docker's daemon does.</summary>
    public async Task<FakeManager> StartAsync(bool tls = false)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(o =>
        {
            // Go's servers, which this stands for, do not look at the scheme.
            o.AllowAlternateSchemes = true;
            o.ListenUnixSocket(Socket, l =>
            {
                l.Protocols = HttpProtocols.Http2;
                if (tls)
                {
                    l.UseHttps(Certificate());
                }
            });
        });
        builder.Services.AddGrpc();
        builder.Services.AddSingleton(Control).AddSingleton(Logs).AddSingleton(Why).AddSingleton(Ca).AddSingleton(Managers).AddSingleton(Unlocking);
        _server = builder.Build();
        _server.Use((call, next) =>
        {
            if (MayBeStale is { } why)
            {
                call.Response.Headers["skep-may-be-stale"] = why;
            }
            return next();
        });
        _server.MapGrpcService<FakeControl>();
        _server.MapGrpcService<FakeLogs>();
        _server.MapGrpcService<FakeWhy>();
        _server.MapGrpcService<FakeCa>();
        _server.MapGrpcService<FakeManagers>();
        _server.MapGrpcService<FakeUnlocking>();
        await _server.StartAsync();
        return this;
    }

    public Task<CommandResult> RunAsync(params string[] args) => RunAsync("", args);

    /// <summary>Runs a command line whose standard input is the text given.</summary>
    internal async Task<CommandResult> RunAsync(string input, string[] args)
    {
        using var output = new StringWriter();
        using var errors = new StringWriter();
        using var stdin = new MemoryStream(ByteString.CopyFromUtf8(input).ToByteArray());
        var around = new Surroundings { Output = output, Error = errors, Time = Clock, Input = stdin, IsTerminal = () => false, AskSecret = static _ => null };
        Task<int> run = CommandTree.RunAsync(["--socket", Socket, .. args], around);
        int exitCode = await run.WaitAsync(TimeSpan.FromSeconds(60));
        return new CommandResult(exitCode, output.ToString(), errors.ToString());
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }
        Directory.Delete(_folder, recursive: true);
    }

    private static X509Certificate2 Certificate()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=somebody-else", key, HashAlgorithmName.SHA256);
        using X509Certificate2 made = request.CreateSelfSigned(DateTimeOffset.UnixEpoch.AddYears(50), DateTimeOffset.UnixEpoch.AddYears(100));
        return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null);
    }
}

/// <summary>What a shell sees of a command.</summary>
public sealed record CommandResult(int ExitCode, string Output, string Errors)
{
    public CommandResult Succeeds()
    {
        Assert.True(ExitCode == 0 && Errors.Length == 0, $"exit code {ExitCode}: {Errors}");
        return this;
    }

    public CommandResult Fails(string error)
    {
        Assert.Equal((255, $"Error: {error}\n", ""), (ExitCode, Errors, Output));
        return this;
    }
}
