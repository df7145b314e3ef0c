using Docker.Swarmkit.V1;

namespace Skep.Manager.Orchestration;

/// <summary>
/// What is remembered of a service between plans, all of which a new leader finds again in the store: restarts of its slots,
/// when waiting tasks may start, and the update under way.
/// </summary>
internal sealed class ServiceMemory
{
    private readonly Dictionary<SlotKey, SlotHistory> histories = [];
    private readonly Dictionary<string, DateTimeOffset> notBefore = new(StringComparer.Ordinal);

    /// <summary>The update under way, or null.</summary>
    public Updater? Updater { get; set; }

    /// <summary>The history of a slot, read from its tasks the first time.</summary>
    public SlotHistory HistoryOf(Slot slot)
    {
        if (!histories.TryGetValue(slot.Key, out SlotHistory? history))
        {
            histories[slot.Key] = history = SlotHistory.From(slot.Tasks);
        }
        return history;
    }

    /// <summary>When a task that is to wait may start.</summary>
    public void Hold(string taskId, DateTimeOffset until) => notBefore[taskId] = until;

    /// <summary>
    /// When a waiting task may start. A leader that has not made it itself waits the delay of the slot where the task before it
    /// failed, and not at all where it was stopped.
    /// </summary>
    public DateTimeOffset HeldUntil(Slot slot, PlannedTask task)
    {
        if (notBefore.TryGetValue(task.Id, out DateTimeOffset until))
        {
            return until;
        }
        int at = slot.Tasks.IndexOf(task);
        PlannedTask? before = at > 0 ? slot.Tasks[at - 1] : null;
        until = task.Task.CreatedAt();
        if (before is { Observed: TaskState.Complete or TaskState.Failed or TaskState.Rejected })
        {
            until += HistoryOf(slot).DelayOf(task.Task.Spec);
        }
        notBefore[task.Id] = until;
        return until;
    }

    /// <summary>Forgets tasks and slots that are gone.</summary>
    public void Prune(IReadOnlyDictionary<SlotKey, Slot> slots)
    {
        foreach (SlotKey key in histories.Keys.Where(k => !slots.ContainsKey(k)).ToList())
        {
            histories.Remove(key);
        }
        if (notBefore.Count > (2 * slots.Count) + 64)
        {
            var present = slots.Values.SelectMany(static s => s.Tasks).Where(static t => t.IsWanted).Select(static t => t.Id).ToHashSet(StringComparer.Ordinal);
            foreach (string id in notBefore.Keys.Where(id => !present.Contains(id)).ToList())
            {
                notBefore.Remove(id);
            }
        }
    }
}
