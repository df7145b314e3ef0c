using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Skep.Jute;

namespace Skep.Coordination.Client.Tests.Infrastructure;

/// <summary>Forwards connections to a server until they are cut, or held up so that nothing comes through and nothing is closed.</summary>
internal sealed class CuttableProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly string _host;
    private readonly int _port;
    private readonly Lock _gate = new();
    private readonly List<TcpClient> _open = [];
    private readonly Task _accepting;
    private TaskCompletionSource _flow = Done();
    private TaskCompletionSource _answers = Done();
    private readonly X509Certificate2? _certificate;
    private readonly ConcurrentDictionary<OpCode, int> _seen = new();
    private OpCode? _holdFrom;
    private bool _isCut;

    /// <param name="server">host:port.</param>
    /// <param name="certificate">Set where clients come by TLS; the server hears plain bytes.</param>
    public CuttableProxy(string server, X509Certificate2? certificate = null)
    {
        _certificate = certificate;
        _host = server[..server.LastIndexOf(':')];
        _port = int.Parse(server[(server.LastIndexOf(':') + 1)..]);
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public string Address => $"127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}";

    /// <summary>Connections made so far.</summary>
    public int Accepted { get; private set; }

    /// <summary>How many requests of a kind came by.</summary>
    public int Seen(OpCode op) => _seen.GetValueOrDefault(op);

    /// <summary>Closes all connections, and each new one at once.</summary>
    public void Cut()
    {
        lock (_gate)
        {
            _isCut = true;
            _open.ForEach(c => c.Dispose());
            _open.Clear();
        }
    }

    public void Restore() => _isCut = false;

    /// <summary>Lets nothing through either way.</summary>
    public void Hold() => _flow = new TaskCompletionSource();

    /// <summary>Lets requests through, but no answers.</summary>
    public void HoldAnswers() => _answers = new TaskCompletionSource();

    /// <summary>Lets requests through, but no answers from the moment that one of this kind comes by.</summary>
    public void HoldAnswersFrom(OpCode op) => _holdFrom = op;

    /// <summary>Lets everything through again, what was held up as well.</summary>
    public void Release()
    {
        _flow.TrySetResult();
        _answers.TrySetResult();
    }

    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        Cut();
        Release();
        await _accepting;
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            TcpClient client;
            try
            {
                client = await _listener.AcceptTcpClientAsync();
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                return;
            }
            var server = new TcpClient { NoDelay = true };
            client.NoDelay = true;
            lock (_gate)
            {
                Accepted++;
                if (_isCut)
                {
                    client.Dispose();
                    continue;
                }
                _open.AddRange([client, server]);
            }
            _ = ForwardAsync(client, server);
        }
    }

    private async Task ForwardAsync(TcpClient client, TcpClient server)
    {
        try
        {
            await server.ConnectAsync(_host, _port);
            Stream near = client.GetStream();
            if (_certificate is not null)
            {
                var tls = new SslStream(near);
                near = tls;
                await tls.AuthenticateAsServerAsync(_certificate);
            }
            await Task.WhenAny(
                CopyAsync(near, server.GetStream(), isAnswers: false),
                CopyAsync(server.GetStream(), near, isAnswers: true));
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // Cut.
        }
        client.Dispose();
        server.Dispose();
    }

    private async Task CopyAsync(Stream from, Stream to, bool isAnswers)
    {
        byte[] buffer = new byte[16 * 1024];
        try
        {
            for (int n = await from.ReadAsync(buffer); n > 0; n = await from.ReadAsync(buffer))
            {
                await _flow.Task;
                if (!isAnswers)
                {
                    Look(buffer.AsSpan(0, n));
                }
                await (isAnswers ? _answers.Task : Task.CompletedTask);
                await to.WriteAsync(buffer.AsMemory(0, n));
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // Cut.
        }
    }

    // Small requests come whole: a length, the caller's number, and what is asked for.
    private void Look(ReadOnlySpan<byte> frames)
    {
        while (frames.Length >= 12 && BinaryPrimitives.ReadInt32BigEndian(frames) is >= 8 and var length)
        {
            var op = (OpCode)BinaryPrimitives.ReadInt32BigEndian(frames[8..]);
            _seen.AddOrUpdate(op, 1, (_, n) => n + 1);
            if (op == _holdFrom)
            {
                _holdFrom = null;
                HoldAnswers();
            }
            frames = frames[Math.Min(frames.Length, 4 + length)..];
        }
    }

    private static TaskCompletionSource Done()
    {
        var done = new TaskCompletionSource();
        done.SetResult();
        return done;
    }
}
