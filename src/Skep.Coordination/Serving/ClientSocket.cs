using System.Buffers;
using System.Net.Sockets;

namespace Skep.Coordination.Serving;

/// <summary>
/// Carries one connection's bytes. Without anything to read it holds no buffer, so that a silent client costs little; one that does not
/// read its answers is not read from either.
/// </summary>
internal sealed class ClientSocket : IClientLink, IThreadPoolWorkItem
{
    private const int BufferBytes = 16 * 1024;
    private const int AtRest = 0;
    private const int Sending = 1;
    private const int Again = 2;
    private static readonly TimeSpan LastWordPatience = TimeSpan.FromSeconds(5);

    private readonly Member _member;
    private readonly Socket _socket;
    private readonly Stream _stream;
    private readonly Connection _connection;
    private readonly TaskCompletionSource _closing = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _over = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource? _room;
    private int _sending;
    private bool _isReceiving;

    public ClientSocket(Member member, Socket socket, Stream stream, ConnectionPeer peer)
    {
        (_member, _socket, _stream) = (member, socket, stream);
        _connection = member.Accept(this, peer);
    }

    /// <summary>Serves the connection until it is over.</summary>
    public async Task RunAsync()
    {
        try
        {
            await Task.WhenAny(ReceiveAsync(), _closing.Task).Unwrap().ConfigureAwait(false);

            // What it was told last goes out first; a client that does not read it is not waited for.
            await _over.Task.WaitAsync(LastWordPatience).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // The client went away.
        }
        finally
        {
            _member.Detach(_connection);
            await _stream.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Ends the connection from outside.</summary>
    public void Abort() => _socket.Dispose();

    void IClientLink.Wake(bool here)
    {
        TellRoom();
        if (_connection.State >= ConnectionState.Closing)
        {
            _closing.TrySetResult();
        }
        // The thread that is receiving sends what came of it itself.
        if (!Volatile.Read(ref _isReceiving) && Interlocked.Exchange(ref _sending, Again) == AtRest)
        {
            if (here)
            {
                _ = SendAsync();
            }
            else
            {
                ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
            }
        }
    }

    void IThreadPoolWorkItem.Execute() => _ = SendAsync();

    private async Task ReceiveAsync()
    {
        byte[] buffer = [];
        int begin = 0;
        int end = 0;
        try
        {
            while (true)
            {
                if (begin == end && _socket.Available == 0)
                {
                    Return(ref buffer);
                    (begin, end) = (0, 0);
                    await _stream.ReadAsync(Memory<byte>.Empty).ConfigureAwait(false);
                }
                (begin, end) = MakeRoom(ref buffer, begin, end);
                int count = await _stream.ReadAsync(buffer.AsMemory(end)).ConfigureAwait(false);
                if (count == 0)
                {
                    _over.TrySetResult();
                    return;
                }
                end += count;
                for (bool isLeft = true; isLeft;)
                {
                    (int left, isLeft) = Receive(new ReadOnlySequence<byte>(buffer, begin, end - begin));
                    begin = end - left;
                    if (_connection.State >= ConnectionState.Closing)
                    {
                        return;
                    }
                    await UntilRoomAsync().ConfigureAwait(false);
                }
            }
        }
        finally
        {
            Return(ref buffer);
        }
    }

    // Gives back how many bytes are left, and whether they are for want of room.
    private (int Left, bool IsFull) Receive(ReadOnlySequence<byte> bytes)
    {
        Volatile.Write(ref _isReceiving, true);
        bool isFull = _member.Receive(_connection, ref bytes);
        Volatile.Write(ref _isReceiving, false);
        if (Interlocked.Exchange(ref _sending, Again) == AtRest)
        {
            _ = SendAsync();
        }
        return ((int)bytes.Length, isFull);
    }

    private async Task UntilRoomAsync()
    {
        while (_member.IsFull(_connection))
        {
            var room = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            Volatile.Write(ref _room, room);
            if (_member.IsFull(_connection))
            {
                await room.Task.ConfigureAwait(false);
            }
        }
    }

    private void TellRoom()
    {
        if (Volatile.Read(ref _room) is not null)
        {
            Interlocked.Exchange(ref _room, null)?.TrySetResult();
        }
    }

    private static (int Begin, int End) MakeRoom(ref byte[] buffer, int begin, int end)
    {
        int length = end - begin;
        if (buffer.Length - length > BufferBytes / 4 && begin == 0)
        {
            return (begin, end);
        }
        // What is left of a frame comes to the front, into a larger buffer where it needs one.
        byte[] into = length * 2 <= buffer.Length && buffer.Length > 0 ? buffer : ArrayPool<byte>.Shared.Rent(Math.Max(BufferBytes, length * 2));
        buffer.AsSpan(begin, length).CopyTo(into);
        if (into != buffer)
        {
            Return(ref buffer);
            buffer = into;
        }
        return (0, length);
    }

    private static void Return(ref byte[] buffer)
    {
        if (buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(buffer);
            buffer = [];
        }
    }

    private async Task SendAsync()
    {
        try
        {
            do
            {
                Interlocked.Exchange(ref _sending, Sending);
                while (_member.TakeOutput(_connection) is { Length: > 0 } output)
                {
                    TellRoom();
                    try
                    {
                        await _stream.WriteAsync(output.Buffer.AsMemory(0, output.Length)).ConfigureAwait(false);
                    }
                    finally
                    {
                        ArrayPool<byte>.Shared.Return(output.Buffer);
                    }
                }
                if (_connection.State >= ConnectionState.Closing)
                {
                    _over.TrySetResult();
                    return;
                }
            }
            while (Interlocked.CompareExchange(ref _sending, AtRest, Sending) != Sending);
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException)
        {
            // It stays at sending: nothing more goes out.
            _over.TrySetResult();
        }
    }
}
