using System.Buffers;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace Skep.Agent.Ingress;

/// <summary>
/// Carries datagrams from a socket to the tasks behind it. A client keeps its task for as long as datagrams pass; its
/// session ends after a time without any.
/// </summary>
internal sealed class UdpRelay(Socket listener, int port, Backends backends, RelayLimits limits, TimeProvider time, ILogger logger)
{
    private const int MaxDatagramSizeBytes = 65535;
    private readonly ConcurrentDictionary<SocketAddress, Session> _sessions = new();
    private bool _saidFull;

    /// <summary>Open sessions.</summary>
    public int Count => _sessions.Count;

    /// <summary>Relays until it is cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var buffer = new byte[MaxDatagramSizeBytes];
        var from = new SocketAddress(listener.AddressFamily);
        try
        {
            while (true)
            {
                int size;
                try
                {
                    size = await listener.ReceiveFromAsync(buffer, SocketFlags.None, from, cancellationToken);
                }
                catch (SocketException) when (!cancellationToken.IsCancellationRequested)
                {
                    // An answer of ours found nobody; the kernel tells it at the next call.
                    continue;
                }

                if (SessionOf(from, cancellationToken) is { } session)
                {
                    await session.SendAsync(buffer.AsMemory(0, size), cancellationToken);
                }
            }
        }
        finally
        {
            foreach (var session in _sessions.Values)
            {
                session.Socket.Dispose();
            }
        }
    }

    private Session? SessionOf(SocketAddress client, CancellationToken cancellationToken)
    {
        if (_sessions.TryGetValue(client, out var known))
        {
            return known;
        }

        if (_sessions.Count >= limits.MaxSessions)
        {
            if (!_saidFull)
            {
                _saidFull = true;
                IngressLog.Full(logger, port, "udp", limits.MaxSessions);
            }

            return null;
        }

        _saidFull = false;
        if (backends.InTurn() is not [var backend, ..])
        {
            return null;
        }

        var key = new SocketAddress(client.Family, client.Size);
        client.Buffer[..client.Size].CopyTo(key.Buffer);
        var socket = new Socket(backend.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            socket.Connect(backend);
        }
        catch (SocketException e)
        {
            socket.Dispose();
            IngressLog.RelayFailed(logger, port, "udp", backend.ToString(), e.Message);
            return null;
        }

        var session = new Session(socket, time);
        _sessions[key] = session;
        _ = AnswerAsync(key, session, cancellationToken);
        return session;
    }

    private async Task AnswerAsync(SocketAddress client, Session session, CancellationToken cancellationToken)
    {
        var look = new byte[1];
        try
        {
            while (true)
            {
                var left = limits.SessionIdle - time.GetElapsedTime(session.LastUsed);
                if (left <= TimeSpan.Zero)
                {
                    return;
                }

                using var idle = new CancellationTokenSource(left, time);
                using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, idle.Token);
                try
                {
                    // A session that waits holds no buffer: there are thousands of them, and few have an answer at a time.
                    await session.Socket.ReceiveAsync(look, SocketFlags.Peek, either.Token);
                    session.Touch();
                    await PassOnAsync(session, client, either.Token);
                }
                catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
                {
                    // Perhaps idle for too long; datagrams of the client count as well.
                }
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // The task does not listen, or the port is closed: the client's next datagram begins anew.
        }
        finally
        {
            _sessions.TryRemove(client, out _);
            session.Socket.Dispose();
        }
    }

    private async Task PassOnAsync(Session session, SocketAddress client, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(MaxDatagramSizeBytes);
        try
        {
            var size = await session.Socket.ReceiveAsync(buffer, SocketFlags.None, cancellationToken);
            await listener.SendToAsync(buffer.AsMemory(0, size), SocketFlags.None, client, cancellationToken);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private sealed class Session(Socket socket, TimeProvider time)
    {
        private long _lastUsed = time.GetTimestamp();

        public Socket Socket => socket;

        public long LastUsed => Volatile.Read(ref _lastUsed);

        public void Touch() => Volatile.Write(ref _lastUsed, time.GetTimestamp());

        public async ValueTask SendAsync(ReadOnlyMemory<byte> datagram, CancellationToken cancellationToken)
        {
            Touch();
            try
            {
                await socket.SendAsync(datagram, SocketFlags.None, cancellationToken);
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // Datagrams get lost; the session's reader sees the socket's end.
            }
        }
    }
}
