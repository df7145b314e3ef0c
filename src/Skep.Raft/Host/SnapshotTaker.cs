using Microsoft.Extensions.Logging;
using Skep.Raft.Log;

namespace Skep.Raft;

/// <summary>Decides when a snapshot is due and writes it beside the commands, one at a time.</summary>
internal sealed class SnapshotTaker(RaftGroupOptions options, RaftLog log, IStateMachine machine, ILogger logger, ulong lastIndex)
    : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private Task _writing = Task.CompletedTask;
    private ulong _lastIndex = lastIndex;
    private ulong _notBefore;

    /// <summary>To be called from the group's loop after applying.</summary>
    public void Consider(ulong index, ulong term, ulong configurationIndex, byte[] configuration)
    {
        if (!_writing.IsCompleted || index < _notBefore || index < Volatile.Read(ref _lastIndex) + options.SnapshotEveryEntries)
        {
            return;
        }

        // A failed attempt is repeated after a tenth of the way, so that a full disk is not hammered.
        _notBefore = index + Math.Max(1, options.SnapshotEveryEntries / 10);
        var write = machine.CaptureSnapshot();
        _writing = Task.Run(() => WriteAsync(write, index, term, configurationIndex, configuration));
    }

    /// <summary>Lets a snapshot that is under way end early, and waits for it.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _writing.ConfigureAwait(false);
        _stop.Dispose();
    }

    private async Task WriteAsync(Func<Stream, CancellationToken, Task> write, ulong index, ulong term, ulong configurationIndex, byte[] configuration)
    {
        try
        {
            var file = log.CreateSnapshot(options.GroupId, index, term, configurationIndex, configuration);
            await using (file.ConfigureAwait(false))
            {
                await write(file, _stop.Token).ConfigureAwait(false);
                file.Commit();
            }

            await log.AppendAsync([LogRecord.SnapshotMarker(options.GroupId, index, term)], CancellationToken.None).ConfigureAwait(false);
            Volatile.Write(ref _lastIndex, index);
            GroupMessages.SnapshotTaken(logger, options.GroupId, index, log.Engine.SegmentCount);
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
        }
        catch (Exception e)
        {
            GroupMessages.SnapshotFailed(logger, options.GroupId, index, e);
        }
    }
}
