using System.Net;
using System.Net.Sockets;

namespace Skep.DataPlane.Health;

/// <summary>One look at one backend, by the kernel's own sockets.</summary>
internal sealed class HealthProbe : IDisposable
{
    private readonly HttpClient _http = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseProxy = false,
        UseCookies = false,
        // Each look makes a connection of its own: one that is kept would not tell whether another is taken.
        PooledConnectionLifetime = TimeSpan.Zero,
        MaxResponseHeadersLength = 16,
    })
    { Timeout = Timeout.InfiniteTimeSpan };

    /// <summary>Looks.</summary>
    /// <returns>What went wrong; null when the backend is well.</returns>
    public async Task<string?> LookAsync(HealthCheckConfig check, IPAddress address, ushort backendPort, TimeProvider time, CancellationToken ct)
    {
        var at = new IPEndPoint(address, check.Port != 0 ? check.Port : backendPort);
        using var timer = new CancellationTokenSource(check.Timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, timer.Token);
        try
        {
            return check.Kind == HealthCheckKind.Http ? await AskAsync(at, check.Path, either.Token).ConfigureAwait(false) : await ConnectAsync(at, either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return $"no answer from {at} within {check.Timeout.TotalMilliseconds:0} ms";
        }
        catch (Exception e) when (e is SocketException or HttpRequestException or IOException)
        {
            return $"{at}: {e.GetBaseException().Message}";
        }
    }

    public void Dispose() => _http.Dispose();

    private static async Task<string?> ConnectAsync(IPEndPoint at, CancellationToken ct)
    {
        using var socket = new Socket(at.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(at, ct).ConfigureAwait(false);
        return null;
    }

    private async Task<string?> AskAsync(IPEndPoint at, string path, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri($"http://{at}{path}"));
        using HttpResponseMessage answer = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ct).ConfigureAwait(false);
        return (int)answer.StatusCode is >= 200 and < 400 ? null : $"http://{at}{path} answers {(int)answer.StatusCode}";
    }
}
