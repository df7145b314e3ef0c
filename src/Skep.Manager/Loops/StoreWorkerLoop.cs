using Microsoft.Extensions.Logging;
using Skep.Store;

namespace Skep.Manager.Loops;

/// <summary>Runs a <see cref="StoreWorker"/> on the store's commits and on a timer.</summary>
internal abstract class StoreWorkerLoop(ClusterStore store, StoreWorker worker, TimeProvider time, ILogger logger)
    : ManagerLoop(time, logger)
{
    // Longer waits are made of several; timers cannot be set for years.
    private static readonly TimeSpan LongestWait = TimeSpan.FromHours(1);

    /// <inheritdoc/>
    protected override async Task RunAsync(CancellationToken ct)
    {
        (_, StoreSubscription subscription) = store.ReadAndSubscribe(view =>
        {
            worker.Load(view);
            return 0;
        });
        using (subscription)
        {
            Task<bool>? more = null;
            while (true)
            {
                await worker.StepAsync(ct).ConfigureAwait(false);
                more ??= subscription.Commits.WaitToReadAsync(ct).AsTask();
                await WaitAsync(more, ct).ConfigureAwait(false);
                if (!more.IsCompleted)
                {
                    continue;
                }
                if (!await more.ConfigureAwait(false))
                {
                    return;
                }
                more = null;
                while (subscription.Commits.TryRead(out StoreCommit? commit))
                {
                    worker.Observe(commit);
                }
            }
        }
    }

    private async Task WaitAsync(Task commits, CancellationToken ct)
    {
        if (worker.NextWake is not { } wake)
        {
            await Task.WhenAny(commits).ConfigureAwait(false);
            return;
        }
        TimeSpan wait = wake - Time.GetUtcNow();
        if (wait <= TimeSpan.Zero || commits.IsCompleted)
        {
            return;
        }
        using var timer = CancellationTokenSource.CreateLinkedTokenSource(ct);
        await Task.WhenAny(commits, Task.Delay(wait < LongestWait ? wait : LongestWait, Time, timer.Token)).ConfigureAwait(false);
        await timer.CancelAsync().ConfigureAwait(false);
    }
}
