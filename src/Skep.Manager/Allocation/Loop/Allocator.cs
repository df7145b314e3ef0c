using Google.Protobuf.WellKnownTypes;
using Microsoft.Extensions.Logging;
using Skep.Manager.Loops;
using Skep.Store;

namespace Skep.Manager.Allocation;

/// <summary>The loop around <see cref="AllocatorCore"/>: it does not wait for quiet, since tasks wait for it; what comes while it writes is the next batch.</summary>
internal sealed partial class Allocator(ClusterStore store, TimeProvider time, ILogger<Allocator> logger) : ManagerLoop(time, logger)
{
    /// <inheritdoc/>
    protected override async Task RunAsync(CancellationToken ct)
    {
        (AllocatorCore core, StoreSubscription subscription) = store.ReadAndSubscribe(AllocatorCore.From);
        using (subscription)
        {
            await AllocateAsync(core, ct).ConfigureAwait(false);
            while (await subscription.Commits.WaitToReadAsync(ct).ConfigureAwait(false))
            {
                bool again = false;
                while (subscription.Commits.TryRead(out StoreCommit? commit))
                {
                    foreach (StoreChange change in commit.Changes)
                    {
                        again |= core.Note(change);
                    }
                }
                if (again)
                {
                    await AllocateAsync(core, ct).ConfigureAwait(false);
                }
            }
        }
    }

    private async Task AllocateAsync(AllocatorCore core, CancellationToken ct)
    {
        List<Allocation> allocations = core.Decide();
        if (allocations.Count == 0)
        {
            return;
        }
        var now = Timestamp.FromDateTimeOffset(Time.GetUtcNow());
        int stale = 0;
        await store.BatchAsync(
            allocations,
            (tx, allocation) =>
            {
                if (!allocation.TryWrite(tx, now))
                {
                    // What made it stale is among the changes that wait to be noted.
                    core.TakeBack(allocation);
                    stale++;
                }
            },
            ct).ConfigureAwait(false);
        LogRound(Logger, allocations.Count, stale);
    }

    [LoggerMessage(EventId = 1201, Level = LogLevel.Debug, Message = "Allocator wrote {Count} allocations; {Stale} of them no longer held and are made again")]
    private static partial void LogRound(ILogger logger, int count, int stale);
}
