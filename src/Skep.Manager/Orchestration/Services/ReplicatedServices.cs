using Docker.Swarmkit.V1;

namespace Skep.Manager.Orchestration;

/// <summary>Keeps as many numbered slots filled as a replicated service asks for.</summary>
internal static class ReplicatedServices
{
    /// <summary>The most tasks one plan makes; more come with the next, which follows at once.</summary>
    public const int MaxNewTasks = 10_000;

    /// <summary>Plans for a replicated service.</summary>
    public static void Plan(ServicePlan plan)
    {
        Dictionary<SlotKey, Slot> slots = Slot.Group(plan.Snapshot.Tasks, static t => SlotKey.Numbered(t.Slot));
        var filled = new List<Slot>();
        var empty = new List<Slot>();
        foreach (Slot slot in slots.Values)
        {
            (SlotStanding.Filling(plan, slot).Count > 0 ? filled : empty).Add(slot);
        }
        filled.Sort(static (a, b) => a.Key.Slot.CompareTo(b.Key.Slot));
        ulong replicas = plan.Service.Spec.Replicated.Replicas;
        if (replicas < (ulong)filled.Count)
        {
            filled = ScaleDown(plan, filled, (int)replicas);
        }
        else if (replicas > (ulong)filled.Count)
        {
            ScaleUp(plan, slots, filled, empty, replicas);
        }
        foreach (Slot slot in empty)
        {
            RemoveAll(plan, slot);
        }
        foreach (Slot slot in filled)
        {
            RestartSupervisor.Restart(plan, slot);
        }
        UpdateSupervisor.Update(plan, slots, filled);
        foreach (Slot slot in filled)
        {
            RestartSupervisor.Start(plan, slot);
        }
        plan.Memory.Prune(slots);
    }

    /// <summary>
    /// The order in which slots are kept: those that run before those that do not, then the first on each node, the second on
    /// each node and so on, so that the nodes with the most tasks lose theirs first.
    /// </summary>
    public static List<Slot> InOrderOfKeeping(IEnumerable<Slot> slots)
    {
        var copies = new Dictionary<string, int>(StringComparer.Ordinal);
        var ranked = new List<(Slot Slot, bool Runs, int Copy)>();
        foreach (Slot slot in slots.OrderBy(static s => !Runs(s)).ThenBy(static s => s.Key.Slot))
        {
            string node = slot.Wanted.FirstOrDefault()?.Task.NodeId ?? "";
            // A slot that is on no node yet costs least to give up.
            int copy = node.Length == 0 ? int.MaxValue : copies[node] = copies.GetValueOrDefault(node) + 1;
            ranked.Add((slot, Runs(slot), copy));
        }
        return [.. ranked.OrderBy(static r => !r.Runs).ThenBy(static r => r.Copy).ThenBy(static r => r.Slot.Key.Slot).Select(static r => r.Slot)];
    }

    private static bool Runs(Slot slot) => slot.Tasks.Exists(static t => t.IsWanted && t.Observed == TaskState.Running);

    private static List<Slot> ScaleDown(ServicePlan plan, List<Slot> filled, int replicas)
    {
        List<Slot> order = InOrderOfKeeping(filled);
        foreach (Slot slot in order.Skip(replicas))
        {
            RemoveAll(plan, slot);
        }
        return [.. order.Take(replicas).OrderBy(static s => s.Key.Slot)];
    }

    private static void ScaleUp(ServicePlan plan, Dictionary<SlotKey, Slot> slots, List<Slot> filled, List<Slot> empty, ulong replicas)
    {
        HashSet<ulong> taken = [.. filled.Select(static s => s.Key.Slot)];
        ulong number = 0;
        for (int made = 0; (ulong)filled.Count < replicas; made++)
        {
            if (made == MaxNewTasks)
            {
                plan.Wake(plan.Now);
                return;
            }
            while (taken.Contains(++number))
            {
            }
            SlotKey key = SlotKey.Numbered(number);
            if (slots.TryGetValue(key, out Slot? slot))
            {
                // It keeps its history.
                empty.Remove(slot);
            }
            else
            {
                slots[key] = slot = new(key);
            }
            plan.Create(slot, RestartSupervisor.IsInTheWay(plan, slot) ? TaskState.Ready : TaskState.Running);
            filled.Add(slot);
        }
    }

    private static void RemoveAll(ServicePlan plan, Slot slot)
    {
        foreach (PlannedTask task in slot.Tasks)
        {
            plan.Move(task, TaskState.Remove);
        }
    }
}
