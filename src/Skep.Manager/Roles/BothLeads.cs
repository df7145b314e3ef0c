using Skep.Store.Members;

namespace Skep.Manager.Roles;

/// <summary>Hands on what one manager leads: the managers' group and the coordination's.</summary>
public static class BothLeads
{
    /// <summary>
    /// Hands both to one member; returns when it leads the managers. The coordination's goes first, and the managers' also where that
    /// one could not go: it follows then by itself.
    /// </summary>
    /// <exception cref="InvalidOperationException">The managers' lead was not handed over; the message says why.</exception>
    public static async Task HandOverAsync(StoreMembers managers, StoreMembers coordination, ulong to, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(managers);
        ArgumentNullException.ThrowIfNull(coordination);
        try
        {
            if (coordination.View is { IsLeading: true } view && view.Find(to)?.Kind == MemberKind.Voter)
            {
                await coordination.TransferAsync(to, ct).ConfigureAwait(false);
            }
        }
        catch (InvalidOperationException)
        {
            // CoordinationMembers does it once the managers' lead is there.
        }
        await managers.TransferAsync(to, ct).ConfigureAwait(false);
    }
}
