using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Skep.Identity;
using Skep.Identity.Certificates;
using Skep.Identity.Files;
using Skep.Identity.Keys;
using Skep.Identity.Tls;
using Skep.Manager.Certificates;
using Skep.Node.Listeners;

namespace Skep.Node.Tests.Listeners;

public sealed class AssumedHttp2Tests : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private readonly string _folder = Directory.CreateTempSubdirectory("skep-alpn-").FullName;
    private readonly NodeIdentity _manager;
    private WebApplication? _app;

    public AssumedHttp2Tests()
    {
        var state = new StateDirectory(_folder);
        _manager = ClusterFounding.Found(state, new NodeKeyFile(state, TimeProvider.System), TimeProvider.System);
    }

    public async ValueTask DisposeAsync()
    {
        if (_app is not null)
        {
            await _app.DisposeAsync();
        }

        Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_node_is_spoken_to_in_HTTP_2_whether_or_not_it_says_that_it_speaks_it(bool says)
    {
        var options = ClientTls.Joining(_manager.Root);
        options.TargetHost = RoleNames.Authority;
        options.ApplicationProtocols = says ? [SslApplicationProtocol.Http2] : null;
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, await StartAsync());
        using var stream = new SslStream(new NetworkStream(socket));
        await stream.AuthenticateAsClientAsync(options).WaitAsync(Patience);

        await stream.WriteAsync("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u0004\0\0\0\0\0"u8.ToArray());
        var frame = new byte[9];
        await stream.ReadExactlyAsync(frame).AsTask().WaitAsync(Patience);

        const int settings = 4;
        Assert.Equal(settings, frame[3]);
    }

    private async Task<int> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        var tls = new ServerTls(new NodeIdentitySource(_manager));
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen =>
        {
            listen.Protocols = HttpProtocols.Http2;
            listen.UseHttps(new TlsHandshakeCallbackOptions { OnConnection = _ => ValueTask.FromResult(tls.ForRemoteApi()) });
            listen.UseAssumedHttp2();
        }));
        _app = builder.Build();
        await _app.StartAsync();
        return new Uri(_app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single()).Port;
    }
}
