namespace Skep.Coordination.Client.Recipes;

/// <summary>A lock that one holder has at a time, in the order of asking. Not reentrant: each acquisition is a holder of its own.</summary>
/// <param name="client">Whose session holds the lock.</param>
/// <param name="path">The lock: a folder, made when it is needed, where those who want it stand in line.</param>
/// <param name="grace">How long a lost connection may last before <see cref="LockHandle.LostToken"/> fires; a third of the session timeout where none is given.</param>
public sealed class DistributedLock(CoordinationClient client, string path, TimeSpan? grace = null)
{
    private readonly WaitingLine _line = new(client, path, grace);

    /// <summary>Waits for the lock. Cancelling leaves the line.</summary>
    public async Task<LockHandle> AcquireAsync(CancellationToken ct = default) =>
        (await _line.EnterAsync("lock-", default, WaitingLine.Predecessor, null, ct))!;

    /// <summary>Waits for the lock so long at most (zero: not at all).</summary>
    /// <returns>Null where it was not to be had.</returns>
    public Task<LockHandle?> TryAcquireAsync(TimeSpan patience, CancellationToken ct = default) =>
        _line.EnterAsync("lock-", default, WaitingLine.Predecessor, patience, ct);
}
