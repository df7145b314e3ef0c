using Docker.Swarmkit.V1;
using Skep.Api;

namespace Swarmctl.Services;

/// <summary>How far one slot is.</summary>
internal sealed record SlotProgress(string Name, string Text, bool Done);

/// <summary>How far a service is, from its tasks alone.</summary>
internal sealed record ProgressView(string Headline, IReadOnlyList<SlotProgress> Slots, bool Settled, string? Failure)
{
    public static ProgressView Of(Service service, IEnumerable<SwarmTask> tasks, int? nodes)
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
        return new ProgressView($"{done}/{wanted} running{update}", slots, settled, failure);
    }

    private static SlotProgress Slot(Service service, string key, SwarmTask task)
    {
        TaskState state = task.Status?.State ?? TaskState.New;
        bool current = task.SpecVersion is null || service.SpecVersion is null || task.SpecVersion.Index >= service.SpecVersion.Index || task.Spec.Equals(service.Spec.Task);
        string why = task.Status?.Err is { Length: > 0 } err ? $" ({err})" : "";
        return new SlotProgress(key, WireNames.Of(state).ToLowerInvariant() + why, current && state == task.DesiredState && state is (TaskState.Running or TaskState.Complete));
    }
}
