using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Skep.Raft.Consensus;
using Skep.Raft.Log;

namespace Skep.Raft;

/// <summary>
/// Makes a core's writes durable in their order, as many together as have come while the disk was busy. A full disk is waited
/// for, since what a core has decided cannot be taken back; anything worse ends the group.
/// </summary>
internal sealed class LogWriter : IAsyncDisposable
{
    private static readonly TimeSpan FullPause = TimeSpan.FromSeconds(1);

    private readonly ulong _group;
    private readonly RaftLog _log;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Action<ulong, int> _stored;
    private readonly Action<Exception> _failed;
    private readonly CancellationTokenSource _stop = new();
    private readonly Channel<LogWrite> _writes;
    private readonly List<LogWrite> _taken = [];
    private readonly Task _loop;
    private volatile bool _closing;
    private volatile TaskCompletionSource<LogFullException> _untilFull = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <param name="log">Shared by groups.</param>
    /// <param name="stored">Told the number of the last write that is durable, and how many records were written with it.</param>
    /// <param name="failed">Told what ended the writing.</param>
    public LogWriter(ulong group, RaftLog log, TimeProvider time, ILogger logger, Action<ulong, int> stored, Action<Exception> failed)
    {
        _group = group;
        _log = log;
        _time = time;
        _logger = logger;
        _stored = stored;
        _failed = failed;

        // Bounded by the core, which takes no more proposals and no more entries while too much is not stored.
        // A write goes from the core's loop straight into the log's queue, and its end comes on the log's thread: a change of
        // threads costs as much as a third of a sync.
        _writes = Channel.CreateUnbounded<LogWrite>(new UnboundedChannelOptions { SingleReader = true, SingleWriter = true, AllowSynchronousContinuations = true });
        _loop = Task.Run(RunAsync);
    }

    /// <summary>Why nothing can be written at present; null when it can.</summary>
    public LogFullException? Full { get; private set; }

    /// <summary>Ends when nothing can be written for want of space; another one once there is room again.</summary>
    public Task<LogFullException> UntilFull => _untilFull.Task;

    public void Add(LogWrite write) => _writes.Writer.TryWrite(write);

    /// <summary>Writes what waits, unless the disk is full, and ends.</summary>
    public async ValueTask DisposeAsync()
    {
        _closing = true;
        _writes.Writer.TryComplete();
        if (Full is not null)
        {
            await _stop.CancelAsync().ConfigureAwait(false);
        }

        // Whoever closes the log next must not do so on the log's own thread, where the loop has ended perhaps: it would wait for itself.
        // Yielding is forced once the loop has ended; a loop that has not ended yet would go on with us where it does.
        await _loop.ConfigureAwait(false);
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        try
        {
            while (await _writes.Reader.WaitToReadAsync().ConfigureAwait(false))
            {
                var records = 0;
                _taken.Clear();
                while (_writes.Reader.TryRead(out var write))
                {
                    _taken.Add(write);
                    records += write.Entries.Count;
                }

                foreach (var step in LogSteps.Of(_group, _taken))
                {
                    await AppendAsync(step).ConfigureAwait(false);
                }

                _stored(_taken[^1].Sequence, records);
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // What was not written was not acknowledged.
        }
        catch (Exception e)
        {
            _failed(e);
        }
    }

    private async Task AppendAsync(IReadOnlyList<LogRecord> records)
    {
        while (true)
        {
            try
            {
                await _log.AppendAsync(new LogRequest(records, inline: true), CancellationToken.None).ConfigureAwait(false);
                if (Full is not null)
                {
                    Full = null;
                    _untilFull = new(TaskCreationOptions.RunContinuationsAsynchronously);
                    GroupMessages.RoomAgain(_logger, _group);
                }

                return;
            }
            catch (LogFullException e)
            {
                if (Full is null)
                {
                    GroupMessages.Full(_logger, _group, e.Message);
                }

                Full = e;
                _untilFull.TrySetResult(e);
                if (_closing)
                {
                    await _stop.CancelAsync().ConfigureAwait(false);
                }
            }

            await Task.Delay(FullPause, _time, _stop.Token).ConfigureAwait(false);
        }
    }
}
