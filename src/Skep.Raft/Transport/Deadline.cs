namespace Skep.Raft.Transport;

/// <summary>What a peer has to do within a time.</summary>
internal static class Deadline
{
    /// <exception cref="IOException">The time was up.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static async Task KeepAsync(Func<CancellationToken, ValueTask> action, TimeSpan time, TimeProvider clock, CancellationToken ct)
    {
        using var timer = new CancellationTokenSource(time, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, timer.Token);
        try
        {
            await action(either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            throw new IOException($"the peer was silent for {time.TotalSeconds} s");
        }
    }
}
