using Docker.Swarmkit.V1;
using Microsoft.Extensions.Logging;
using Skep.Manager.Loops;
using Skep.Manager.Membership;
using Skep.Store;
using Skep.Store.Members;

namespace Skep.Manager.Roles;

/// <summary>
/// Brings the group in line with what roles are wanted, a step at a time: learners that have caught up vote, who is to be a worker
/// leaves the group first and loses the role then, a leader that is to leave hands over. Each step is decided by
/// <see cref="RoleStep"/> from what is there, so any leader goes on where another stopped.
/// </summary>
public sealed partial class ManagerRoles(
    ClusterStore store, StoreMembers members, StoreMembers coordination, ManagerRoster roster, TimeProvider time, ILogger<ManagerRoles> logger)
    : ManagerLoop(time, logger)
{
    /// <summary>How long managers that are to leave wait for the coordination's group where it has no leader.</summary>
    internal static readonly TimeSpan PatienceWithoutLeader = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LonePace = TimeSpan.FromSeconds(2);

    // Commands wait while the lead is handed over, and who gets it may hand it back, because its disk is full.
    private static readonly TimeSpan FirstHandOverPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestHandOverPause = TimeSpan.FromSeconds(30);
    private TimeSpan handOverPause = FirstHandOverPause;
    private long handedOverAt;
    private string lastRefusal = "";
    private long? waitsWithoutLeaderSince;

    /// <inheritdoc/>
    protected override async Task RunAsync(CancellationToken ct)
    {
        using StoreSubscription subscription = store.Subscribe();
        Task<bool>? commits = null;
        while (true)
        {
            await StepsAsync(ct).ConfigureAwait(false);

            // How members fare is no commit, so it looks at its pace too; one alone waits for another to come.
            commits ??= subscription.Commits.WaitToReadAsync(ct).AsTask();
            bool isAlone = members.View.Members.Count == 1;
            using var pace = CancellationTokenSource.CreateLinkedTokenSource(ct);
            await Task.WhenAny(
                commits,
                Task.Delay(isAlone ? LonePace : Pace, Time, pace.Token),
                isAlone ? members.WaitForAsync(static v => v.Members.Count != 1, pace.Token) : Task.Delay(Timeout.Infinite, pace.Token)).ConfigureAwait(false);
            await pace.CancelAsync().ConfigureAwait(false);
            ct.ThrowIfCancellationRequested();
            if (commits.IsCompleted)
            {
                await commits.ConfigureAwait(false);
                commits = null;
                while (subscription.Commits.TryRead(out _))
                {
                }
            }
        }
    }

    private async Task StepsAsync(CancellationToken ct)
    {
        await roster.RefreshAsync(ct).ConfigureAwait(false);
        List<Node> nodes = store.Read(static view => view.List<Node>().Where(IsConcerned).ToList());
        MembersView other = coordination.View;
        if (other.LeaderId != 0)
        {
            waitsWithoutLeaderSince = null;
        }
        bool waits = waitsWithoutLeaderSince is not { } since || Time.GetElapsedTime(since) < PatienceWithoutLeader;
        if (RoleStep.Next(members.View, roster.Standings, nodes, roster.IsReachable, members.IsDiskFull, other, waits) is { } step)
        {
            await DoAsync(step, other, waits, ct).ConfigureAwait(false);
        }
    }

    private static bool IsConcerned(Node node) =>
        node.Role == NodeRole.Manager || node.Spec?.DesiredRole == NodeRole.Manager || node.ManagerStatus is not null;

    private async Task DoAsync(RoleStep step, MembersView other, bool waits, CancellationToken ct)
    {
        try
        {
            switch (step)
            {
                case RoleStep.ChangeMembers change:
                    await members.ChangeAsync(change.Members, ct).ConfigureAwait(false);
                    LogStep(Logger, change.Why);
                    if (!waits && members.View.Members.Count > change.Members.Count)
                    {
                        LogWithoutCoordination(Logger, PatienceWithoutLeader.TotalSeconds);
                    }
                    break;
                case RoleStep.Wait wait:
                    waitsWithoutLeaderSince ??= other.LeaderId == 0 ? Time.GetTimestamp() : null;
                    Refused(wait.Why);
                    break;
                case RoleStep.HandOver { CanWait: true } when handedOverAt != 0 && Time.GetElapsedTime(handedOverAt) < handOverPause:
                    break;
                case RoleStep.HandOver handOver:
                    NoteHandOver(handOver);
                    LogStep(Logger, handOver.Why);
                    await BothLeads.HandOverAsync(members, coordination, handOver.To, ct).ConfigureAwait(false);
                    break;
                case RoleStep.SetRole role:
                    await store.UpdateAsync(tx => Update(tx, role.NodeId, node => node.Role = role.Role), ct).ConfigureAwait(false);
                    LogStep(Logger, role.Why);
                    break;
                case RoleStep.NoteManager note:
                    await store.UpdateAsync(tx => Update(tx, note.NodeId, node => node.ManagerStatus = note.Status?.Clone()), ct).ConfigureAwait(false);
                    break;
                default:
                    throw new InvalidOperationException($"no such step: {step}");
            }
        }
        catch (InvalidOperationException e)
        {
            // Mostly a change that is under way; what is to be done then is decided anew.
            Refused(e.Message);
        }
    }

    private void NoteHandOver(RoleStep.HandOver step)
    {
        if (step.CanWait)
        {
            bool isLongAgo = handedOverAt == 0 || Time.GetElapsedTime(handedOverAt) > LongestHandOverPause * 2;
            handOverPause = isLongAgo ? FirstHandOverPause : handOverPause * 2 < LongestHandOverPause ? handOverPause * 2 : LongestHandOverPause;
            handedOverAt = Time.GetTimestamp();
        }
    }

    private void Refused(string why)
    {
        if (lastRefusal != why)
        {
            lastRefusal = why;
            LogRefused(Logger, why);
        }
    }

    private static void Update(WriteTransaction tx, string nodeId, Action<Node> change)
    {
        if (tx.Get<Node>(nodeId)?.Clone() is { } node)
        {
            change(node);
            tx.Update(node);
        }
    }

    [LoggerMessage(EventId = 1211, Level = LogLevel.Information, Message = "{Step}")]
    private static partial void LogStep(ILogger logger, string step);

    [LoggerMessage(EventId = 1212, Level = LogLevel.Information, Message = "The managers were not changed yet: {Reason}")]
    private static partial void LogRefused(ILogger logger, string reason);

    [LoggerMessage(EventId = 1213, Level = LogLevel.Warning, Message = "The coordination's group had no leader for {PatienceS} s: a manager leaves although it may still be in it. Where that takes its majority, a manager that is left goes on with --force-new-cluster")]
    private static partial void LogWithoutCoordination(ILogger logger, double patienceS);
}
