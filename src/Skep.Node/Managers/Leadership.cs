using Microsoft.Extensions.Logging;
using Skep.Manager;
using Skep.Node.Forwarding;
using Skep.Store.Members;

namespace Skep.Node.Managers;

/// <summary>Starts what a leader does when this manager comes to lead, and stops it when it leads no more.</summary>
internal sealed partial class Leadership(StoreMembers members, ManagerParts parts, LeaderWatch watch, Func<CancellationToken, Task> beforeFirst, ILogger<Leadership> logger) : IAsyncDisposable
{
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
                    await beforeFirst(ct).ConfigureAwait(false);
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

    [LoggerMessage(EventId = 2202, Level = LogLevel.Information, Message = "This manager leads no more (term {Term})")]
    private static partial void LogLost(ILogger logger, ulong term);
}
