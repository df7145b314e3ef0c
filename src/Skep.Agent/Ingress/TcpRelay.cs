using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace Skep.Agent.Ingress;

/// <summary>
/// Carries TCP connections from a listening socket to the tasks behind it. Each half is closed when its other end is.
/// Connections outlive the listening: a service that goes finishes what it has begun.
/// </summary>
/// <param name="listener">The socket, listening.</param>
/// <param name="port">Its number.</param>
/// <param name="backends">The tasks.</param>
/// <param name="limits">The port's bounds.</param>
/// <param name="logger">Says what happens.</param>
/// <param name="connections">Ends the connections.</param>
[SuppressMessage("Reliability", "CA1001", Justification = "Connections outlive the listening, and a semaphore nobody takes a handle of holds nothing.")]
internal sealed class TcpRelay(
    Socket listener, int port, Backends backends, RelayLimits limits, ILogger logger, CancellationToken connections)
{
    private const int KeepAliveSeconds = 120;

    // Where descriptors are short the next try fails at once, too.
    private static readonly TimeSpan AcceptRetry = TimeSpan.FromMilliseconds(50);

    private readonly SemaphoreSlim _room = new(limits.MaxConnections);

    /// <summary>Accepts until it is cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            if (!await _room.WaitAsync(0, cancellationToken))
            {
                IngressLog.Full(logger, port, "tcp", limits.MaxConnections);
                await _room.WaitAsync(cancellationToken);
            }

            Socket client;
            try
            {
                client = await listener.AcceptAsync(cancellationToken);
            }
            catch (SocketException) when (!cancellationToken.IsCancellationRequested)
            {
                // The client has gone already, or descriptors are short; neither is the end of the port.
                _room.Release();
                await Task.Delay(AcceptRetry, cancellationToken);
                continue;
            }

            _ = ServeAsync(client);
        }
    }

    private async Task ServeAsync(Socket client)
    {
        try
        {
            using (client)
            {
                client.NoDelay = true;

                // A client that vanished without a word must not hold its place for ever.
                client.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
                client.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, KeepAliveSeconds);
                using var task = await ConnectAsync();
                if (task is not null)
                {
                    using var both = CancellationTokenSource.CreateLinkedTokenSource(connections);
                    await Task.WhenAll(CopyAsync(client, task, both), CopyAsync(task, client, both));
                }
            }
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // Either end went away; closing both is all there is to do.
        }
        finally
        {
            _room.Release();
        }
    }

    private async Task<Socket?> ConnectAsync()
    {
        foreach (var backend in backends.InTurn())
        {
            var socket = new Socket(backend.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            using var timeout = CancellationTokenSource.CreateLinkedTokenSource(connections);
            timeout.CancelAfter(limits.ConnectTimeout);
            try
            {
                await socket.ConnectAsync(backend, timeout.Token);
                return socket;
            }
            catch (Exception e) when (e is SocketException || (e is OperationCanceledException && !connections.IsCancellationRequested))
            {
                socket.Dispose();
                IngressLog.RelayFailed(logger, port, "tcp", backend.ToString(), e.Message);
            }
        }

        return null;
    }

    private async Task CopyAsync(Socket from, Socket to, CancellationTokenSource both)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(limits.BufferSizeBytes);
        try
        {
            while (true)
            {
                var read = await from.ReceiveAsync(buffer, SocketFlags.None, both.Token);
                if (read == 0)
                {
                    to.Shutdown(SocketShutdown.Send);
                    return;
                }

                for (var sent = 0; sent < read;)
                {
                    sent += await to.SendAsync(buffer.AsMemory(sent, read - sent), SocketFlags.None, both.Token);
                }
            }
        }
        catch (SocketException)
        {
            // One direction is broken, so the connection is: the other must not wait for its end.
            await both.CancelAsync();
            throw;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
