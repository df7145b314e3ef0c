using Microsoft.Extensions.Logging;
using Skep.Raft.Log;

namespace Skep.Raft;

/// <summary>Decides when a snapshot is due and writes it beside the commands, one at a time.</summary>
/// <param name="everySizeBytes">How many bytes of commands make one due, or half as many as the last snapshot has, if that is more: the larger the state, the dearer it is to write.</param>
/// <param name="gate">Held while a snapshot's file is written, since a group has one at a time.</param>
/// <param name="taken">Told the index of a snapshot that the log knows.</param>
internal sealed class SnapshotTaker(
    ulong group, ulong everyEntries, RaftLog log, IStateMachine machine, ILogger logger, ulong lastIndex, SemaphoreSlim? gate = null, Action<ulong>? taken = null,
    long everySizeBytes = long.MaxValue)
    : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private Task _writing = Task.CompletedTask;
    private ulong _lastIndex = lastIndex;
    private ulong _begunAt = lastIndex;
    private long _appliedSizeBytes;
    private long _lastSizeBytes;
    private bool _failed;

    /// <summary>A command was applied.</summary>
    public void Applied(int sizeBytes) => _appliedSizeBytes += sizeBytes;

    /// <summary>Whether <see cref="Consider"/> would begin one.</summary>
    public bool IsDue(ulong index)
    {
        if (!_writing.IsCompleted)
        {
            return false;
        }

        var sizeBytes = Math.Max(everySizeBytes, Volatile.Read(ref _lastSizeBytes) / 2);

        // A failed attempt is repeated after a tenth of the way, so that a full disk is not hammered.
        return Volatile.Read(ref _failed)
            ? index >= _begunAt + Math.Max(1, everyEntries / 10) || _appliedSizeBytes >= sizeBytes / 10
            : index >= Volatile.Read(ref _lastIndex) + everyEntries || _appliedSizeBytes >= sizeBytes;
    }

    /// <summary>A snapshot came from the leader.</summary>
    public void Installed(ulong index)
    {
        Volatile.Write(ref _lastIndex, index);
        Volatile.Write(ref _failed, false);
        Begin(index);
    }

    /// <summary>To be called from the group's loop after applying.</summary>
    public void Consider(ulong index, ulong term, ulong configurationIndex, byte[] configuration)
    {
        if (!IsDue(index))
        {
            return;
        }

        Begin(index);
        var write = machine.CaptureSnapshot();
        _writing = Task.Run(() => WriteAsync(write, index, term, configurationIndex, configuration, waits: false));
    }

    /// <summary>Takes one in any case, after one that is under way; to be called from the group's loop.</summary>
    /// <returns>Whether it was written.</returns>
    public Task<bool> TakeAsync(ulong index, ulong term, ulong configurationIndex, byte[] configuration)
    {
        Begin(index);
        var write = machine.CaptureSnapshot();
        var before = _writing;
        var taking = Task.Run(async () =>
        {
            await before.ConfigureAwait(false);
            return await WriteAsync(write, index, term, configurationIndex, configuration, waits: true).ConfigureAwait(false);
        });
        _writing = taking;
        return taking;
    }

    /// <summary>Lets a snapshot that is under way end early, and waits for it.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _writing.ConfigureAwait(false);
        _stop.Dispose();
    }

    private void Begin(ulong index) => (_begunAt, _appliedSizeBytes) = (index, 0);

    private async Task<bool> WriteAsync(
        Func<Stream, CancellationToken, Task> write, ulong index, ulong term, ulong configurationIndex, byte[] configuration, bool waits)
    {
        var held = false;
        Volatile.Write(ref _failed, true);
        try
        {
            held = gate is null || await gate.WaitAsync(waits ? Timeout.Infinite : 0, _stop.Token).ConfigureAwait(false);
            if (!held)
            {
                return false;
            }

            var file = log.CreateSnapshot(group, index, term, configurationIndex, configuration);
            await using (file.ConfigureAwait(false))
            {
                await write(file, _stop.Token).ConfigureAwait(false);
                file.Commit();
                Volatile.Write(ref _lastSizeBytes, file.SizeBytes);
            }

            await log.AppendAsync([LogRecord.SnapshotMarker(group, index, term)], CancellationToken.None).ConfigureAwait(false);
            Volatile.Write(ref _lastIndex, index);
            Volatile.Write(ref _failed, false);
            GroupMessages.SnapshotTaken(logger, group, index, log.Engine.SegmentCount);
            taken?.Invoke(index);
            return true;
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
        }
        catch (Exception e)
        {
            GroupMessages.SnapshotFailed(logger, group, index, e);
        }
        finally
        {
            if (held)
            {
                gate?.Release();
            }
        }

        return false;
    }
}
