namespace Skep.Manager.Orchestration;

/// <summary>All tasks of one place of a service: the ones wanted now and the history, oldest first.</summary>
internal sealed class Slot(SlotKey key)
{
    /// <summary>Which place.</summary>
    public SlotKey Key { get; } = key;

    /// <summary>Every task of it, oldest first.</summary>
    public List<PlannedTask> Tasks { get; } = [];

    /// <summary>The tasks wanted to run.</summary>
    public IEnumerable<PlannedTask> Wanted => Tasks.Where(static t => t.IsWanted);

    /// <summary>The newest task that is not on its way out of the store, or null.</summary>
    public PlannedTask? Newest => Tasks.FindLast(static t => t.Desired < Docker.Swarmkit.V1.TaskState.Remove);

    /// <summary>Groups tasks by their place, each group oldest first.</summary>
    public static Dictionary<SlotKey, Slot> Group(IEnumerable<SwarmTask> tasks, Func<SwarmTask, SlotKey> keyOf)
    {
        var slots = new Dictionary<SlotKey, Slot>();
        foreach (SwarmTask task in tasks)
        {
            SlotKey key = keyOf(task);
            if (!slots.TryGetValue(key, out Slot? slot))
            {
                slots[key] = slot = new(key);
            }
            slot.Tasks.Add(new(task));
        }
        foreach (Slot slot in slots.Values)
        {
            if (slot.Tasks.Count > 1)
            {
                slot.Tasks.Sort(ByAge);
            }
        }
        return slots;
    }

    // Tasks of one transaction have the same time, so the version and the id break ties and the order is the same every time.
    private static int ByAge(PlannedTask a, PlannedTask b)
    {
        int order = a.Task.CreatedAt().CompareTo(b.Task.CreatedAt());
        return order != 0 ? order : string.CompareOrdinal(a.Id, b.Id);
    }
}
