using Docker.Swarmkit.V1;
using Google.Protobuf.Collections;
using Skep.Api;
using Extension = Docker.Swarmkit.V1.Extension;

namespace Skep.Manager.Watch;

/// <summary>A watch entry's filters as predicates. A filter that cannot apply to the entry's kind is refused. Pure.</summary>
internal static class WatchFilters
{
    private static readonly string[] Node = ["node"];
    private static readonly string[] Task = ["task"];
    private static readonly string[] ServiceOrTask = ["service", "task"];

    /// <exception cref="ArgumentException">A filter is empty, is there twice, or does not fit the kind.</exception>
    public static List<Predicate<IStoreObject>> Of(WatchRequest.Types.WatchEntry entry)
    {
        var result = new List<Predicate<IStoreObject>>();
        var seen = new HashSet<SelectBy.ByOneofCase>();
        foreach (SelectBy by in entry.Filters)
        {
            // Two values of one property exclude each other; of references an object may have many.
            if (!seen.Add(by.ByCase) && by.ByCase is not (SelectBy.ByOneofCase.ReferencedNetworkId
                or SelectBy.ByOneofCase.ReferencedSecretId or SelectBy.ByOneofCase.ReferencedConfigId))
            {
                throw new ArgumentException("conflicting filters specified");
            }
            if (KindsOf(by.ByCase) is { } kinds && !kinds.Contains(entry.Kind))
            {
                throw new ArgumentException($"objects of kind {entry.Kind} cannot be selected by {by.ByCase}; only {string.Join(" and ", kinds)} can");
            }
            result.Add(Predicate(by));
        }
        return result;
    }

    private static string[]? KindsOf(SelectBy.ByOneofCase by) => by switch
    {
        SelectBy.ByOneofCase.Role or SelectBy.ByOneofCase.Membership => Node,
        SelectBy.ByOneofCase.ServiceId or SelectBy.ByOneofCase.NodeId or SelectBy.ByOneofCase.Slot or SelectBy.ByOneofCase.DesiredState => Task,
        SelectBy.ByOneofCase.ReferencedNetworkId or SelectBy.ByOneofCase.ReferencedSecretId or SelectBy.ByOneofCase.ReferencedConfigId => ServiceOrTask,
        _ => null,
    };

    private static Predicate<IStoreObject> Predicate(SelectBy by) => by.ByCase switch
    {
        SelectBy.ByOneofCase.Id => o => o.Id == by.Id,
        SelectBy.ByOneofCase.IdPrefix => o => o.Id.StartsWith(by.IdPrefix, StringComparison.Ordinal),
        SelectBy.ByOneofCase.Name => o => string.Equals(NameOf(o), by.Name, StringComparison.OrdinalIgnoreCase),
        SelectBy.ByOneofCase.NamePrefix => o => NameOf(o)?.StartsWith(by.NamePrefix, StringComparison.OrdinalIgnoreCase) == true,
        SelectBy.ByOneofCase.Custom => o => HasIndex(o, by.Custom, static (has, wanted) => has == wanted),
        SelectBy.ByOneofCase.CustomPrefix => o => HasIndex(o, by.CustomPrefix, static (has, wanted) => has.StartsWith(wanted, StringComparison.Ordinal)),
        SelectBy.ByOneofCase.ServiceId => o => o is SwarmTask t && t.ServiceId == by.ServiceId,
        SelectBy.ByOneofCase.NodeId => o => o is SwarmTask t && t.NodeId == by.NodeId,
        SelectBy.ByOneofCase.Slot => o => o is SwarmTask t && t.ServiceId == by.Slot.ServiceId && t.Slot == by.Slot.Slot,
        SelectBy.ByOneofCase.DesiredState => o => o is SwarmTask t && t.DesiredState == by.DesiredState,
        SelectBy.ByOneofCase.Role => o => o is Node n && n.Role == by.Role,
        SelectBy.ByOneofCase.Membership => o => o is Node n && n.Spec?.Membership == by.Membership,
        SelectBy.ByOneofCase.ReferencedNetworkId => o => Networks(o).Any(n => n.Target == by.ReferencedNetworkId),
        SelectBy.ByOneofCase.ReferencedSecretId => o => SpecOf(o)?.Container?.Secrets.Any(s => s.SecretId == by.ReferencedSecretId) == true,
        SelectBy.ByOneofCase.ReferencedConfigId => o => SpecOf(o)?.Container?.Configs.Any(c => c.ConfigId == by.ReferencedConfigId) == true,
        SelectBy.ByOneofCase.Kind => o => o is Resource r && r.Kind == by.Kind,
        _ => throw new ArgumentException("a filter selects by nothing; it has to name one property"),
    };

    private static Annotations? AnnotationsOf(IStoreObject o) => o switch
    {
        Node n => n.Spec?.Annotations,
        Service s => s.Spec?.Annotations,
        Network n => n.Spec?.Annotations,
        Cluster c => c.Spec?.Annotations,
        Secret s => s.Spec?.Annotations,
        Config c => c.Spec?.Annotations,
        Volume v => v.Spec?.Annotations,
        SwarmTask t => t.Annotations,
        Resource r => r.Annotations,
        Extension e => e.Annotations,
        _ => null,
    };

    // A node is called by its host, a task by its service.
    private static string? NameOf(IStoreObject o) => o switch
    {
        Node n => n.Description?.Hostname,
        SwarmTask t => t.Annotations?.Name is { Length: > 0 } name ? name : t.ServiceAnnotations?.Name,
        _ => AnnotationsOf(o)?.Name,
    };

    private static bool HasIndex(IStoreObject o, SelectByCustom by, Func<string, string, bool> matches) =>
        AnnotationsOf(o)?.Indices.Any(i => i.Key == by.Index && matches(i.Val, by.Value)) == true;

    private static TaskSpec? SpecOf(IStoreObject o) => o switch
    {
        SwarmTask t => t.Spec,
        Service s => s.Spec?.Task,
        _ => null,
    };

    private static RepeatedField<NetworkAttachmentConfig> Networks(IStoreObject o)
    {
        TaskSpec? spec = SpecOf(o);
#pragma warning disable CS0612 // Services of old clients name their networks here.
        return o is Service { Spec.Networks: { Count: > 0 } old } && spec?.Networks.Count is null or 0 ? old : spec?.Networks ?? [];
#pragma warning restore CS0612
    }
}
