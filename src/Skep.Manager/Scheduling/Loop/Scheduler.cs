using System.Threading.Channels;
using Docker.Swarmkit.V1;
using Google.Protobuf.WellKnownTypes;
using Microsoft.Extensions.Logging;
using Skep.Manager.Loops;
using Skep.Store;

namespace Skep.Manager.Scheduling;

/// <summary>The loop around <see cref="SchedulerCore"/>: hears of changes, waits for quiet, writes decisions that still hold.</summary>
internal sealed partial class Scheduler(ClusterStore store, TimeProvider time, ILogger<Scheduler> logger) : ManagerLoop(time, logger)
{
    /// <inheritdoc/>
    protected override async Task RunAsync(CancellationToken ct)
    {
        (SchedulerCore core, StoreSubscription subscription) = store.ReadAndSubscribe(SchedulerCore.From);
        using (subscription)
        {
            var debounce = new Debounce(Time);
            await RoundAsync(core, debounce, ct).ConfigureAwait(false);
            while (await NextRoundAsync(core, subscription.Commits, debounce, ct).ConfigureAwait(false))
            {
                await RoundAsync(core, debounce, ct).ConfigureAwait(false);
            }
        }
    }

    // Notes changes until a round is due. False when the subscription has ended.
    private async Task<bool> NextRoundAsync(SchedulerCore core, ChannelReader<StoreCommit> commits, Debounce debounce, CancellationToken ct)
    {
        while (true)
        {
            while (commits.TryRead(out StoreCommit? commit))
            {
                DateTimeOffset now = Time.GetUtcNow();
                bool again = false;
                foreach (StoreChange change in commit.Changes)
                {
                    again |= core.Note(change, now);
                }
                if (again)
                {
                    debounce.Touch();
                }
                if (debounce.IsPending && debounce.Left <= TimeSpan.Zero)
                {
                    return true;
                }
            }
            if (!debounce.IsPending)
            {
                if (!await commits.WaitToReadAsync(ct).ConfigureAwait(false))
                {
                    return false;
                }
                continue;
            }
            TimeSpan left = debounce.Left;
            if (left <= TimeSpan.Zero)
            {
                return true;
            }
            using var timer = new CancellationTokenSource(left, Time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, timer.Token);
            try
            {
                if (!await commits.WaitToReadAsync(either.Token).ConfigureAwait(false))
                {
                    return false;
                }
            }
            catch (OperationCanceledException) when (!ct.IsCancellationRequested)
            {
                return true;
            }
        }
    }

    private async Task RoundAsync(SchedulerCore core, Debounce debounce, CancellationToken ct)
    {
        debounce.Clear();
        if (core.Waiting == 0)
        {
            return;
        }
        long started = Time.GetTimestamp();
        List<Decision> decisions = core.Decide(Time.GetUtcNow());
        if (decisions.Count == 0)
        {
            return;
        }
        double decidingMs = Time.GetElapsedTime(started).TotalMilliseconds;
        var now = Timestamp.FromDateTimeOffset(Time.GetUtcNow());
        int stale = 0;
        await store.BatchAsync(
            decisions,
            (tx, decision) =>
            {
                if (!TryWrite(tx, decision, now))
                {
                    core.TakeBack(decision);
                    stale++;
                }
            },
            ct).ConfigureAwait(false);
        if (stale > 0)
        {
            // What made them stale is among the changes that wait to be noted.
            debounce.Touch();
        }
        LogRound(Logger, decisions.Count, stale, decidingMs);
    }

    private static bool TryWrite(WriteTransaction tx, Decision decision, Timestamp now)
    {
        if (tx.Get<SwarmTask>(decision.Task.Id) is not { } task || task.Meta.Version.Index != decision.Task.Meta.Version.Index)
        {
            return false;
        }
        if (decision.Node is { } seen && (tx.Get<Node>(seen.Id) is not { } node || node.Meta.Version.Index != seen.Meta.Version.Index))
        {
            return false;
        }
        tx.Update(decision.Apply(task, now));
        return true;
    }

    [LoggerMessage(EventId = 1101, Level = LogLevel.Debug, Message = "Scheduler wrote {Count} decisions made in {DecidingMs} ms; {Stale} of them no longer held and are made again")]
    private static partial void LogRound(ILogger logger, int count, int stale, double decidingMs);
}
