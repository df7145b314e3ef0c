using Docker.Swarmkit.V1;
using Skep.Store.Members;

namespace Skep.Manager.Roles;

/// <summary>
/// Managers that only observe coordination: they hold all of it and serve its clients, and do not vote on it, so that more servers make
/// no write slower. A node says so by a label, which any client of the control API can set.
/// </summary>
internal static class CoordinationObservers
{
    private const string Label = "skep.coordination";
    private const string Observer = "observer";

    /// <summary>Whether a member only observes. The label counts for as long as another manager that is to stay has none: somebody must vote.</summary>
    public static bool Has(ulong memberId, MembersView managers, IReadOnlyCollection<Node> nodes) =>
        IsLabelled(memberId, nodes) && managers.Voters.Any(v => RoleStep.IsWanted(v, nodes) && !IsLabelled(v.Id, nodes));

    private static bool IsLabelled(ulong memberId, IReadOnlyCollection<Node> nodes) => nodes.Any(n =>
        n.Spec?.Annotations?.Labels is { } labels && labels.TryGetValue(Label, out string? said) && said == Observer && MemberIds.IsOf(memberId, n.Id));
}
