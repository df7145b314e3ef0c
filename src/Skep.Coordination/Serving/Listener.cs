using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;
using Skep.Jute;

namespace Skep.Coordination.Serving;

/// <summary>Takes clients in at an address, with or without TLS, no more than are allowed.</summary>
internal sealed partial class Listener : IAsyncDisposable
{
    private const int MaxConnections = 50_000;
    private const int Backlog = 1_024;
    private static readonly TimeSpan HandshakePatience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan NoHandlesPause = TimeSpan.FromMilliseconds(100);

    private readonly CoordinationOptions _options;
    private readonly Member _member;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly Socket _socket;
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<ClientSocket, Task> _clients = [];
    private readonly ConcurrentDictionary<IPAddress, int> _perAddress = [];
    private readonly Task _accepting;
    private int _count;

    /// <exception cref="SocketException">The address cannot be listened on.</exception>
    public Listener(CoordinationOptions options, Member member, TimeProvider time, ILogger logger)
    {
        (_options, _member, _time, _logger) = (options, member, time, logger);
        IPEndPoint address = options.Listen ?? throw new ArgumentException("no address to listen on was given", nameof(options));
        _socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (address.Address.Equals(IPAddress.IPv6Any))
            {
                _socket.DualMode = true;
            }
            _socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
            _socket.Bind(address);
            _socket.Listen(Backlog);
        }
        catch
        {
            _socket.Dispose();
            throw;
        }
        Endpoint = (IPEndPoint)_socket.LocalEndPoint!;
        _accepting = Task.Run(AcceptAsync);
    }

    /// <summary>Where it listens.</summary>
    public IPEndPoint Endpoint { get; }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        _socket.Dispose();
        await _accepting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach ((ClientSocket client, Task serving) in _clients)
        {
            client.Abort();
            await serving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            Socket client;
            try
            {
                client = await _socket.AcceptAsync(_stop.Token).ConfigureAwait(false);
            }
            catch (SocketException e)
            {
                // Out of handles, or the client was gone before it was taken in.
                LogNotAccepted(_logger, e.Message);
                await Task.Delay(NoHandlesPause, _time, _stop.Token).ConfigureAwait(false);
                continue;
            }
            IPAddress address = AddressOf(client);
            if (!TryCount(address))
            {
                _member.Refused();
                client.Dispose();
                continue;
            }
            _ = ServeAsync(client, address);
        }
    }

    private async Task ServeAsync(Socket socket, IPAddress address)
    {
        try
        {
            socket.NoDelay = true;
            string endpoint = socket.RemoteEndPoint is IPEndPoint remote ? $"{address}:{remote.Port}" : $"{address}";
            Stream stream = new NetworkStream(socket, ownsSocket: true);
            var identities = new List<AclId> { new("ip", address.ToString()) };
            if (_options.Tls is { } tls)
            {
                var secured = new SslStream(stream);
                stream = secured;
                using var patience = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
                patience.CancelAfter(HandshakePatience);
                await secured.AuthenticateAsServerAsync(tls(), patience.Token).ConfigureAwait(false);
                if (secured.RemoteCertificate is X509Certificate2 certificate)
                {
                    identities.Add(new AclId("x509", Access.SubjectName.Of(certificate.SubjectName)));
                    if (_options.IsSuperuser(certificate))
                    {
                        identities.Add(new AclId("super", "manager"));
                    }
                }
            }
            bool mayProve = _options.Tls is not null || _options.AllowPasswordsInClear || IPAddress.IsLoopback(address);
            var client = new ClientSocket(_member, socket, stream, new ConnectionPeer(address.ToString(), endpoint, identities, mayProve));
            Task serving = client.RunAsync();
            _clients[client] = serving;
            try
            {
                await serving.ConfigureAwait(false);
            }
            finally
            {
                _clients.TryRemove(client, out _);
            }
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException or System.Security.Authentication.AuthenticationException or ObjectDisposedException)
        {
            LogNotServed(_logger, address, e.Message);
            socket.Dispose();
        }
        catch (Exception e)
        {
            // Ours, not the client's: the other clients are served on.
            LogFailed(_logger, address, e);
            socket.Dispose();
        }
        finally
        {
            Uncount(address);
        }
    }

    private bool TryCount(IPAddress address)
    {
        if (Interlocked.Increment(ref _count) > MaxConnections
            || (_perAddress.AddOrUpdate(address, 1, static (_, n) => n + 1) > _options.MaxConnectionsPerAddress && _options.MaxConnectionsPerAddress > 0))
        {
            Uncount(address);
            return false;
        }
        return true;
    }

    private void Uncount(IPAddress address)
    {
        Interlocked.Decrement(ref _count);
        if (_perAddress.AddOrUpdate(address, 0, static (_, n) => n - 1) <= 0)
        {
            _perAddress.TryRemove(new KeyValuePair<IPAddress, int>(address, 0));
        }
    }

    private static IPAddress AddressOf(Socket socket)
    {
        IPAddress address = (socket.RemoteEndPoint as IPEndPoint)?.Address ?? IPAddress.None;
        return address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
    }

    [LoggerMessage(EventId = 2401, Level = LogLevel.Warning, Message = "A coordination client could not be taken in: {Reason}")]
    private static partial void LogNotAccepted(ILogger logger, string reason);

    [LoggerMessage(EventId = 2403, Level = LogLevel.Error, Message = "The connection of the coordination client at {Address} failed")]
    private static partial void LogFailed(ILogger logger, IPAddress address, Exception error);

    [LoggerMessage(EventId = 2402, Level = LogLevel.Information, Message = "The coordination client at {Address} was not served: {Reason}")]
    private static partial void LogNotServed(ILogger logger, IPAddress address, string reason);
}
