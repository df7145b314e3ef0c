using System.Buffers;
using Microsoft.Extensions.Logging;
using Skep.Raft.Consensus;

namespace Skep.Raft.Transport;

/// <summary>
/// The messages for one peer, on one long-lived stream. Whoever has queued some writes them himself, unless a write is under way,
/// after which all that came meanwhile goes out as one; beyond a bound messages are dropped, since each is sent anew until it
/// is answered.
/// </summary>
internal sealed class PeerSender : IAsyncDisposable
{
    private const int MaxWaitingBytes = 32 * 1024 * 1024;
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LeastPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);

    private readonly byte[] _opening;
    private readonly RaftMember _peer;
    private readonly Func<RaftMember, CancellationToken, Task<Stream>> _dial;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _wanted = new(0, 1);
    private readonly Task _loop;
    private ArrayBufferWriter<byte> _waiting = new(4096);
    private ArrayBufferWriter<byte> _sending = new(4096);
    private Connection? _connection;
    private long _dropped;

    public PeerSender(RaftMember self, RaftMember peer, Func<RaftMember, CancellationToken, Task<Stream>> dial, TimeProvider time, ILogger logger)
    {
        _opening = StreamKind.Opening(StreamKind.Messages, self);
        _peer = peer;
        _dial = dial;
        _time = time;
        _logger = logger;
        _loop = Task.Run(RunAsync);
    }

    public string Address => _peer.Address;

    /// <summary>Whether the stream stands.</summary>
    public bool IsConnected { get; private set; }

    /// <summary>Messages that found no room, or were lost with a connection's end.</summary>
    public long Dropped => Interlocked.Read(ref _dropped);

    /// <summary>Queues a message; it leaves with the next <see cref="Flush"/>.</summary>
    public void Send(ulong group, Message message)
    {
        var size = MessageCodec.SizeOf(message);
        lock (_gate)
        {
            if (TryBegin(group, size))
            {
                MessageCodec.Write(_waiting, message);
            }
        }
    }

    /// <summary>Queues bytes of those who use the group, as <see cref="Send"/> does a message.</summary>
    public void SendAside(ulong group, ReadOnlySpan<byte> bytes)
    {
        lock (_gate)
        {
            if (TryBegin(group, bytes.Length + 1))
            {
                _waiting.Write([MessageCodec.Aside]);
                _waiting.Write(bytes);
            }
        }
    }

    private bool TryBegin(ulong group, int size)
    {
        if (_waiting.WrittenCount + size > MaxWaitingBytes)
        {
            Interlocked.Increment(ref _dropped);
            return false;
        }

        if (_connection is null && _wanted.CurrentCount == 0)
        {
            _wanted.Release();
        }

        Frames.WriteHead(_waiting.GetSpan(Frames.HeadSizeBytes), group, size);
        _waiting.Advance(Frames.HeadSizeBytes);
        return true;
    }

    /// <summary>Writes what waits on this thread, as far as the stream takes it without waiting.</summary>
    public void Flush()
    {
        while (Begin() is { } connection)
        {
            var written = WriteAsync(connection);
            if (!written.IsCompleted)
            {
                _ = FinishAsync(connection, written.AsTask());
                return;
            }

            End(connection, Failure(written));
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _loop.ConfigureAwait(false);
        _stop.Dispose();
        _wanted.Dispose();
    }

    private async Task RunAsync()
    {
        var pause = LeastPause;
        var connected = true;
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                Stream? dialled = null;
                await Deadline.KeepAsync(async t => dialled = await _dial(_peer, t).ConfigureAwait(false), Silence, _time, _stop.Token).ConfigureAwait(false);
                var stream = dialled!;
                await using (stream.ConfigureAwait(false))
                {
                    if (!connected)
                    {
                        TransportMessages.Connected(_logger, _peer.Id, _peer.Address);
                    }

                    connected = true;
                    IsConnected = true;
                    pause = LeastPause;
                    await ServeAsync(stream).ConfigureAwait(false);
                }
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                IsConnected = false;
                if (connected)
                {
                    connected = false;
                    TransportMessages.Unreachable(_logger, _peer.Id, _peer.Address, e.Message);
                }
            }

            try
            {
                await Task.Delay(pause, _time, _stop.Token).ConfigureAwait(false);
                pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
                DropWaiting();

                // Nobody has anything to say to a member that left: it is not dialled for ever.
                await _wanted.WaitAsync(_stop.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    /// <summary>Lends the stream to those who flush, until one of them finds it broken.</summary>
    private async Task ServeAsync(Stream stream)
    {
        await stream.WriteAsync(_opening, _stop.Token).ConfigureAwait(false);
        var connection = new Connection(stream);
        lock (_gate)
        {
            _connection = connection;
        }

        try
        {
            Flush();
            await connection.Broken.Task.WaitAsync(_stop.Token).ConfigureAwait(false);
        }
        finally
        {
            lock (_gate)
            {
                _connection = null;
            }
        }
    }

    // What was for a peer that is away says nothing any more when it is back. A write that still goes on keeps its buffer.
    private void DropWaiting()
    {
        lock (_gate)
        {
            _waiting = new(4096);
            _sending = new(4096);
            _wanted.Wait(0);
        }
    }

    /// <summary>Takes what waits, and the sole right to write it.</summary>
    private Connection? Begin()
    {
        lock (_gate)
        {
            if (_connection is not { IsWriting: false } connection || _waiting.WrittenCount == 0)
            {
                return null;
            }

            connection.IsWriting = true;
            (_waiting, _sending) = (_sending, _waiting);
            return connection;
        }
    }

    private void End(Connection connection, Exception? failure)
    {
        if (failure is not null)
        {
            // It stays taken: nobody writes on it any more.
            connection.Broken.TrySetException(failure);
            return;
        }

        lock (_gate)
        {
            connection.IsWriting = false;
            if (ReferenceEquals(_connection, connection))
            {
                _sending.ResetWrittenCount();
            }
        }
    }

    private ValueTask WriteAsync(Connection connection)
    {
        try
        {
            return connection.Stream.WriteAsync(_sending.WrittenMemory, _stop.Token);
        }
        catch (Exception e)
        {
            return ValueTask.FromException(e);
        }
    }

    private async Task FinishAsync(Connection connection, Task write)
    {
        Exception? failure = null;
        try
        {
            await write.WaitAsync(Silence, _time).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            failure = new IOException($"the peer was silent for {Silence.TotalSeconds} s");
        }
        catch (Exception e)
        {
            failure = e;
        }

        End(connection, failure);
        Flush();
    }

    private static Exception? Failure(ValueTask written)
    {
        try
        {
            written.GetAwaiter().GetResult();
            return null;
        }
        catch (Exception e)
        {
            return e;
        }
    }

    private sealed class Connection(Stream stream)
    {
        public Stream Stream => stream;

        public TaskCompletionSource Broken { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public bool IsWriting { get; set; }
    }
}
