using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Threading.Channels;
using Microsoft.Extensions.Time.Testing;
using Skep.DataPlane.Balancing.Configuration;
using Skep.DataPlane.Health;
using Skep.DataPlane.Packets;

namespace Skep.DataPlane.Tests.Health;

/// <summary>Real servers on the loopback.</summary>
public sealed class Looks_at_backends
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task A_server_that_stops_is_down_after_some_looks_and_up_again_when_it_is_back()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        ushort port = (ushort)((IPEndPoint)listener.LocalEndpoint).Port;
        await using var checker = new HealthChecker(TimeProvider.System);
        Channel<bool> changes = Channel.CreateUnbounded<bool>();
        checker.Changed += (_, health) => changes.Writer.TryWrite(health.IsUp);
        BackendKey key = Key(port);
        checker.Watch(new Dictionary<BackendKey, HealthCheckConfig> { [key] = new(HealthCheckKind.Tcp, 0, "/", TimeSpan.FromMilliseconds(20), Patience, 2, 2) });

        (await listener.AcceptSocketAsync(TestContext.Current.CancellationToken)).Dispose();
        listener.Stop();
        Assert.False(await NextAsync(changes, "it is down"));
        Assert.Contains("refused", checker.Of(key)!.Value.Why, StringComparison.Ordinal);

        using var again = new TcpListener(IPAddress.Loopback, port);
        again.Start();
        Assert.True(await NextAsync(changes, "it is up again"));
        Assert.Equal("", checker.Of(key)!.Value.Why);

        checker.Watch(new Dictionary<BackendKey, HealthCheckConfig>());
        Assert.Null(checker.Of(key));
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", null)]
    [InlineData("HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n", null)]
    [InlineData("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", "/health answers 503")]
    [InlineData("SSH-2.0-OpenSSH\r\n", "invalid status line")]
    public async Task An_http_check_asks_for_its_path_and_wants_2xx_or_3xx(string answer, string? failure)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var probe = new HealthProbe();
        var check = new HealthCheckConfig(HealthCheckKind.Http, 0, "/health", TimeSpan.FromSeconds(1), Patience, 1, 1);
        Task<string?> looking = probe.LookAsync(check, IPAddress.Loopback, (ushort)((IPEndPoint)listener.LocalEndpoint).Port, TimeProvider.System, TestContext.Current.CancellationToken);
        using (Socket asked = await listener.AcceptSocketAsync(TestContext.Current.CancellationToken))
        {
            byte[] request = new byte[1024];
            int length = await asked.ReceiveAsync(request);
            Assert.StartsWith("GET /health HTTP/1.1\r\n", Encoding.ASCII.GetString(request, 0, length), StringComparison.Ordinal);
            await asked.SendAsync(Encoding.ASCII.GetBytes(answer));
        }
        string? said = await looking;
        Assert.Equal(failure is null, said is null);
        Assert.Contains(failure ?? "", said ?? "", StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_that_takes_the_connection_and_says_nothing_has_failed()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var probe = new HealthProbe();
        var time = new FakeTimeProvider();
        var check = new HealthCheckConfig(HealthCheckKind.Http, 0, "/", TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2), 1, 1);
        Task<string?> looking = probe.LookAsync(check, IPAddress.Loopback, (ushort)((IPEndPoint)listener.LocalEndpoint).Port, time, TestContext.Current.CancellationToken);
        using Socket asked = await listener.AcceptSocketAsync(TestContext.Current.CancellationToken);
        time.Advance(TimeSpan.FromSeconds(3));
        Assert.Contains("within 2000 ms", await looking.WaitAsync(Patience, TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    private static BackendKey Key(ushort port) => new(IpAddr.Parse("198.51.100.1"), 80, IpProtocol.Tcp, IpAddr.Parse("127.0.0.1"), port);

    private static async Task<bool> NextAsync(Channel<bool> changes, string phase)
    {
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            return await changes.Reader.ReadAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"timed out after {Patience.TotalSeconds} s: {phase}");
        }
    }
}
