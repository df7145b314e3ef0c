using Docker.Swarmkit.V1;
using Microsoft.Extensions.Logging;
using Skep.Manager.Loops;
using Skep.Store;
using Skep.Store.Members;

namespace Skep.Manager.Roles;

/// <summary>
/// Keeps the coordination's group in line with the managers', and both leads with one manager. Runs at every manager, and does something
/// where that group is led: each step is decided by <see cref="CoordinationStep"/> from what is there.
/// </summary>
public sealed partial class CoordinationMembers(
    ClusterStore store, StoreMembers managers, StoreMembers coordination, TimeProvider time, ILogger<CoordinationMembers> logger)
    : ManagerLoop(time, logger)
{
    /// <summary>A lead that has just moved may move on; it is looked at again after this.</summary>
    internal static readonly TimeSpan SettlingTime = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan LeadersPace = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan OthersPace = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestHandOverPause = TimeSpan.FromSeconds(30);

    private (ulong Leader, ulong Term) lastLeads;
    private long settlesSince;
    private TimeSpan handOverPause = SettlingTime;
    private string lastRefusal = "";

    /// <inheritdoc/>
    protected override async Task RunAsync(CancellationToken ct)
    {
        while (true)
        {
            // It looks at its pace, since who watches a group has it tell of every change. One alone has nothing to do until another comes.
            if (IsAlone(managers.View) && IsAlone(coordination.View))
            {
                await managers.WaitForAsync(static v => !IsAlone(v), ct).ConfigureAwait(false);
            }
            else
            {
                await Task.Delay(coordination.View.IsLeading ? LeadersPace : OthersPace, Time, ct).ConfigureAwait(false);
            }
            await StepAsync(ct).ConfigureAwait(false);
        }
    }

    private static bool IsAlone(MembersView view) => view is { IsLeading: true, Members: [{ Kind: MemberKind.Voter }] };

    private async Task StepAsync(CancellationToken ct)
    {
        MembersView of = managers.View, view = coordination.View;
        if (!view.IsLeading)
        {
            return;
        }
        if (lastLeads != (of.LeaderId, view.Term))
        {
            (lastLeads, settlesSince, handOverPause) = ((of.LeaderId, view.Term), Time.GetTimestamp(), SettlingTime);
        }
        Dictionary<ulong, MemberStanding> standings = (await coordination.ReadStandingsAsync(ct).ConfigureAwait(false)).ToDictionary(static s => s.Id);
        List<Node> nodes = store.Read(static v => v.List<Node>().Where(static n => n.Spec?.DesiredRole == NodeRole.Manager).ToList());
        if (CoordinationStep.Next(of, view, standings, nodes) is { } step && (of.IsLeading || Time.GetElapsedTime(settlesSince) >= handOverPause))
        {
            await DoAsync(step, ct).ConfigureAwait(false);
        }
    }

    private async Task DoAsync(CoordinationStep step, CancellationToken ct)
    {
        try
        {
            switch (step)
            {
                case CoordinationStep.ChangeMembers change:
                    await coordination.ChangeAsync(change.Members, ct).ConfigureAwait(false);
                    LogStep(Logger, change.Why);
                    break;
                case CoordinationStep.HandOver handOver:
                    (settlesSince, handOverPause) = (Time.GetTimestamp(), handOverPause * 2 < LongestHandOverPause ? handOverPause * 2 : LongestHandOverPause);
                    await coordination.TransferAsync(handOver.To, ct).ConfigureAwait(false);
                    LogStep(Logger, handOver.Why);
                    break;
                default:
                    throw new InvalidOperationException($"no such step: {step}");
            }
        }
        catch (InvalidOperationException e) when (e is not ObjectDisposedException)
        {
            // Mostly a change that is under way; what is to be done then is decided anew.
            if (lastRefusal != e.Message)
            {
                lastRefusal = e.Message;
                LogRefused(Logger, e.Message);
            }
        }
    }

    [LoggerMessage(EventId = 1221, Level = LogLevel.Information, Message = "{Step}")]
    private static partial void LogStep(ILogger logger, string step);

    [LoggerMessage(EventId = 1222, Level = LogLevel.Information, Message = "The coordination's group was not changed yet: {Reason}")]
    private static partial void LogRefused(ILogger logger, string reason);
}
