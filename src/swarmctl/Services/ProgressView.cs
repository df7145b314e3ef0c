using Docker.Swarmkit.V1;
using Skep.Api;

namespace Swarmctl.Services;

/// <summary>How far one slot is.</summary>
internal sealed record SlotProgress(string Name, string Text, bool Done);

/// <summary>How far a service is, from its tasks alone.</summary>
internal sealed record ProgressView(string Headline, IReadOnlyList<SlotProgress> Slots, bool Settled, string? Failure)
{
    // One failure may be an accident; after these many the user is told where the reason is to be had.
    private const int FailuresToMention = 2;

    public static ProgressView Of(Service service, IReadOnlyCollection<SwarmTask> tasks, int? nodes)
    {
        List<SlotProgress> slots = [.. tasks
            .Where(t => t.DesiredState <= TaskState.Complete)
            .GroupBy(t => t.Slot > 0 ? t.Slot.ToString(System.Globalization.CultureInfo.InvariantCulture) : t.NodeId)
            .Select(g => Slot(service, g.Key, g.MaxBy(t => t.Meta?.CreatedAt?.ToDateTimeOffset())!))
            .OrderBy(x => x.Name.Length).ThenBy(x => x.Name, StringComparer.Ordinal)];
        int done = slots.Count(x => x.Done);
        ulong wanted = service.Spec?.Replicated?.Replicas ?? (ulong)slots.Count;
        string update = service.UpdateStatus is { } u ? $", {WireNames.Of(u.State)}: {u.Message}" : "";
        bool updating = service.UpdateStatus?.State is UpdateStatus.Types.UpdateState.Updating or UpdateStatus.Types.UpdateState.RollbackStarted;
        string? failure = service.UpdateStatus?.State is UpdateStatus.Types.UpdateState.Paused or UpdateStatus.Types.UpdateState.RollbackPaused
            ? $"{service.Spec?.Annotations?.Name}: {service.UpdateStatus.Message}; `swarmctl service why {service.Spec?.Annotations?.Name}` explains"
            : null;
        bool settled = !updating && (ulong)done == wanted && (ulong)slots.Count == wanted && (nodes is null || slots.Count > 0);
        int ended = settled ? 0 : tasks.Count(t => t.Status?.State is TaskState.Failed or TaskState.Rejected && IsCurrent(service, t));
        string hint = ended >= FailuresToMention ? $"; tasks end as soon as they start: `swarmctl service why {service.Spec?.Annotations?.Name}` explains" : "";
        return new ProgressView($"{done}/{wanted} running{update}{hint}", slots, settled, failure);
    }

    private static SlotProgress Slot(Service service, string key, SwarmTask task)
    {
        TaskState state = task.Status?.State ?? TaskState.New;
        string why = task.Status?.Err is { Length: > 0 } err ? $" ({err})" : "";
        return new SlotProgress(key, WireNames.Of(state).ToLowerInvariant() + why, IsCurrent(service, task) && state == task.DesiredState && state is (TaskState.Running or TaskState.Complete));
    }

    private static bool IsCurrent(Service service, SwarmTask task) =>
        task.SpecVersion is null || service.SpecVersion is null || task.SpecVersion.Index >= service.SpecVersion.Index || task.Spec.Equals(service.Spec.Task);
}
