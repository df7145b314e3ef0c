using Microsoft.Extensions.Logging;
using Skep.Manager;
using Skep.Node.Forwarding;
using Skep.Store;
using Skep.Store.Members;

namespace Skep.Node.Managers;

/// <summary>Starts what a leader does when this manager comes to lead, and stops it when it leads no more.</summary>
internal sealed partial class Leadership(StoreMembers members, ManagerParts parts, LeaderWatch watch, Func<CancellationToken, Task> beforeFirst, TimeProvider time, ILogger<Leadership> logger) : IAsyncDisposable
{
    private static readonly TimeSpan RetryPause = TimeSpan.FromMilliseconds(500);

    private readonly CancellationTokenSource stopping = new();
    private Task running = Task.CompletedTask;

    public void Start() => running = Task.Run(() => RunAsync(stopping.Token));

    /// <summary>Fails when the group stopped by itself, or what comes before leading did.</summary>
    public Task Completion => running;

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync().ConfigureAwait(false);
        await running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        stopping.Dispose();
    }

    private async Task RunAsync(CancellationToken ct)
    {
        MembersView? seen = null;
        ulong leadingTerm = 0;
        try
        {
            while (true)
            {
                MembersView view = await members.WaitForAsync(v => seen is null || v.IsLeading != seen.IsLeading || v.Term != seen.Term || v.LeaderId != seen.LeaderId, ct).ConfigureAwait(false);
                seen = view;
                watch.Observe(view);
                if (leadingTerm != 0 && (!view.IsLeading || view.Term != leadingTerm))
                {
                    LogLost(logger, leadingTerm);
                    await parts.StopLeadingAsync().ConfigureAwait(false);
                    leadingTerm = 0;
                }
                if (view.IsLeading && leadingTerm == 0)
                {
                    try
                    {
                        await beforeFirst(ct).ConfigureAwait(false);
                    }
                    catch (StoreException e) when (e.Kind is StoreErrorKind.NotLeader or StoreErrorKind.OutcomeUnknown or StoreErrorKind.Full)
                    {
                        LogNotYet(logger, e.Message);
                        await Task.Delay(RetryPause, time, ct).ConfigureAwait(false);
                        seen = null;
                        continue;
                    }
                    leadingTerm = view.Term;
                    LogLeads(logger, view.Term);
                    parts.StartLeading();
                }
            }
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException && ct.IsCancellationRequested)
        {
            // The manager stops.
        }
    }

    [LoggerMessage(EventId = 2201, Level = LogLevel.Information, Message = "This manager leads (term {Term})")]
    private static partial void LogLeads(ILogger logger, ulong term);

    [LoggerMessage(EventId = 2203, Level = LogLevel.Warning, Message = "This manager leads and cannot begin yet: {Reason}; it tries again")]
    private static partial void LogNotYet(ILogger logger, string reason);

    [LoggerMessage(EventId = 2202, Level = LogLevel.Information, Message = "This manager leads no more (term {Term})")]
    private static partial void LogLost(ILogger logger, ulong term);
}
