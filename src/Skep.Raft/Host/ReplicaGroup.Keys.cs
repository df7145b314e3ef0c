using Skep.Raft.Log;

namespace Skep.Raft;

public sealed partial class ReplicaGroup
{
    private static readonly TimeSpan SnapshotPause = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Takes snapshots until nothing of the group is left on disk under an older data key. Entries that are not committed are
    /// waited for, since no snapshot can take their place.
    /// </summary>
    internal async Task LeaveOlderKeysAsync(CancellationToken ct)
    {
        // A snapshot that was begun under an older key has its name after this, and is looked at below.
        await _snapshotGate.WaitAsync(ct).ConfigureAwait(false);
        _snapshotGate.Release();
        while (await _log.BetweenWritesAsync(log => log.NeededUnderOlderKey(_options.GroupId), ct).ConfigureAwait(false) is { } needed)
        {
            var last = Status.LastIndex;
            await WaitForAsync(s => s.AppliedIndex >= needed || s.LastIndex < last, ct).ConfigureAwait(false);
            var done = new TaskCompletionSource<Task<bool>>(TaskCreationOptions.RunContinuationsAsynchronously);
            await AskAsync(new ReplicaInput.SnapshotAsked(done), ct).ConfigureAwait(false);
            var taking = await done.Task.WaitAsync(ct).ConfigureAwait(false);
            if (!await taking.WaitAsync(ct).ConfigureAwait(false))
            {
                await Task.Delay(SnapshotPause, _time, ct).ConfigureAwait(false);
            }
        }
    }

    private Task<bool> TakeSnapshot() => _applied > 0 && _core.DescribeSnapshot(_applied) is { } meta
        ? _snapshots.TakeAsync(meta.Index, meta.Term, meta.ConfigurationIndex, meta.Configuration.Encode())
        : Task.FromResult(false);
}
