using System.Buffers;
using Microsoft.Extensions.Logging;
using Skep.Raft.Consensus;

namespace Skep.Raft.Transport;

/// <summary>
/// The messages for one peer, on one long-lived stream. What waits while a write is under way goes out as one; beyond a
/// bound messages are dropped, since each is sent anew until it is answered.
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
    private readonly SemaphoreSlim _wake = new(0, 1);
    private readonly Lock _gate = new();
    private readonly Task _loop;
    private ArrayBufferWriter<byte> _waiting = new(4096);
    private ArrayBufferWriter<byte> _sending = new(4096);
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

    public void Send(ulong group, Message message)
    {
        var size = MessageCodec.SizeOf(message);
        lock (_gate)
        {
            if (_waiting.WrittenCount + size > MaxWaitingBytes)
            {
                Interlocked.Increment(ref _dropped);
                return;
            }

            Frames.WriteHead(_waiting.GetSpan(Frames.HeadSizeBytes), group, size);
            _waiting.Advance(Frames.HeadSizeBytes);
            MessageCodec.Write(_waiting, message);
            if (_wake.CurrentCount == 0)
            {
                _wake.Release();
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _loop.ConfigureAwait(false);
        _stop.Dispose();
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
                    await SendAsync(stream).ConfigureAwait(false);
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
            }
            catch (OperationCanceledException)
            {
                return;
            }

            pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
            DropWaiting();
        }
    }

    private async Task SendAsync(Stream stream)
    {
        await stream.WriteAsync(_opening, _stop.Token).ConfigureAwait(false);
        while (true)
        {
            await _wake.WaitAsync(_stop.Token).ConfigureAwait(false);
            lock (_gate)
            {
                (_waiting, _sending) = (_sending, _waiting);
            }

            if (_sending.WrittenCount > 0)
            {
                await Deadline.KeepAsync(t => stream.WriteAsync(_sending.WrittenMemory, t), Silence, _time, _stop.Token).ConfigureAwait(false);
                _sending.ResetWrittenCount();
            }
        }
    }

    // What was for a peer that is away says nothing any more when it is back.
    private void DropWaiting()
    {
        lock (_gate)
        {
            _waiting.ResetWrittenCount();
            _sending.ResetWrittenCount();
        }
    }
}
