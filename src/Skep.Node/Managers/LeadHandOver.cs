using Microsoft.Extensions.Logging;
using Skep.Manager.Roles;
using Skep.Store.Members;

namespace Skep.Node.Managers;

/// <summary>Hands on what a manager leads that is about to stop, so that the others need not notice its loss.</summary>
internal sealed partial class LeadHandOver(StoreMembers managers, StoreMembers coordination, ILogger<LeadHandOver> logger)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan LongestSilence = TimeSpan.FromSeconds(1);

    /// <summary>Whatever keeps it from that is told, and keeps nothing else from being closed.</summary>
    public async Task RunAsync()
    {
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            if (await NextAsync(managers, coordination.View, patience.Token).ConfigureAwait(false) is { } next)
            {
                await BothLeads.HandOverAsync(managers, coordination, next, patience.Token).ConfigureAwait(false);
                LogHandedOver(logger, next);
            }

            // What the next leader of the managers could not take, or what was led here alone.
            if (await NextAsync(coordination, managers.View, patience.Token).ConfigureAwait(false) is { } other)
            {
                await coordination.TransferAsync(other, patience.Token).ConfigureAwait(false);
            }
        }
        catch (Exception e)
        {
            LogNotHandedOver(logger, e.Message);
        }
    }

    // Best one that leads the other group already, or can.
    private static async Task<ulong?> NextAsync(StoreMembers members, MembersView other, CancellationToken ct)
    {
        MembersView view = members.View;
        if (!view.IsLeading || view.Voters.Count() < 2)
        {
            return null;
        }
        return (await members.ReadStandingsAsync(ct).ConfigureAwait(false))
            .Where(s => s.Id != view.SelfId && view.Voters.Any(v => v.Id == s.Id))
            .OrderBy(static s => s.Silence > LongestSilence)
            .ThenByDescending(s => s.Id == other.LeaderId)
            .ThenByDescending(s => other.Find(s.Id)?.Kind == MemberKind.Voter)
            .ThenBy(static s => s.LagEntries)
            .FirstOrDefault()?.Id;
    }

    [LoggerMessage(EventId = 2221, Level = LogLevel.Information, Message = "The lead is handed to manager {Member:x}")]
    private static partial void LogHandedOver(ILogger logger, ulong member);

    [LoggerMessage(EventId = 2222, Level = LogLevel.Warning, Message = "The lead was not handed over; the others elect a leader: {Reason}")]
    private static partial void LogNotHandedOver(ILogger logger, string reason);
}
