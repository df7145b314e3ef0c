using Docker.Swarmkit.V1;
using Skep.Store;

namespace Skep.Manager.Scheduling;

/// <summary>
/// All that the scheduler knows and how it decides: fed with what changes in the store, asked for decisions. Pure; it has
/// neither clock nor store.
/// </summary>
internal sealed class SchedulerCore
{
    private readonly Dictionary<string, SwarmTask> unassigned = new(StringComparer.Ordinal);
    private readonly Dictionary<string, SwarmTask> preassigned = new(StringComparer.Ordinal);
    private readonly FailureLog failures = new();
    private readonly Placer placer;

    /// <summary>Knows nothing yet.</summary>
    public SchedulerCore() => placer = new(Fleet, failures);

    /// <summary>The nodes and what is on them.</summary>
    public Fleet Fleet { get; } = new();

    /// <summary>How many tasks wait.</summary>
    public int Waiting => unassigned.Count + preassigned.Count;

    /// <summary>Everything there is at the start.</summary>
    public static SchedulerCore From(IStoreView view)
    {
        var core = new SchedulerCore();
        foreach (Node node in view.List<Node>())
        {
            core.Fleet.PutNode(node);
        }
        foreach (SwarmTask task in view.List<SwarmTask>())
        {
            core.Put(task, null, default);
        }
        return core;
    }

    /// <summary>Takes note of a change.</summary>
    /// <returns>Whether tasks that wait should be looked at again.</returns>
    public bool Note(StoreChange change, DateTimeOffset now)
    {
        switch (change.Object)
        {
            case SwarmTask task when change.Kind == StoreChangeKind.Remove:
                return Forget(task.Id) && Waiting > 0;
            case SwarmTask task:
                return Put(task, change.Old as SwarmTask, now) && Waiting > 0;
            case Node node when change.Kind == StoreChangeKind.Remove:
                Fleet.RemoveNode(node.Id);
                return Waiting > 0;
            case Node node:
                Fleet.PutNode(node);
                return Waiting > 0;
            default:
                return false;
        }
    }

    /// <summary>Decides on every task that waits. What was decided counts at once; see <see cref="TakeBack"/>.</summary>
    public List<Decision> Decide(DateTimeOffset now)
    {
        var decisions = new List<Decision>();
        foreach (SwarmTask task in preassigned.Values.ToList())
        {
            DecidePreassigned(task, decisions);
        }
        foreach (List<SwarmTask> group in Groups(decisions))
        {
            PlaceGroup(group, now, decisions);
        }
        return decisions;
    }

    /// <summary>A decision did not come to be written: the task waits again.</summary>
    public void TakeBack(Decision decision)
    {
        Fleet.Remove(decision.Task.Id);
        Enqueue(decision.Task);
    }

    /// <summary>The task of a decision is gone.</summary>
    public bool Forget(string taskId)
    {
        bool waited = unassigned.Remove(taskId) | preassigned.Remove(taskId);
        return Fleet.Remove(taskId) || waited;
    }

    private bool Put(SwarmTask task, SwarmTask? old, DateTimeOffset now)
    {
        TaskState state = task.Status?.State ?? TaskState.New;
        if (state < TaskState.Pending)
        {
            return false;
        }
        if (state > TaskState.Running)
        {
            bool justFailed = state is TaskState.Failed or TaskState.Rejected && old?.Status?.State <= TaskState.Running && task.NodeId.Length > 0;
            if (justFailed)
            {
                failures.Add(SpecKey.Of(task), task.NodeId, now);
            }
            return Forget(task.Id);
        }
        if (NodeState.Holds(task))
        {
            unassigned.Remove(task.Id);
            preassigned.Remove(task.Id);
            Fleet.Put(task);
            // One that is no longer wanted makes room under the most replicas per node.
            return old is not null && NodeState.IsActive(old) != NodeState.IsActive(task);
        }
        bool onlyTheReasonChanged = IsWaiting(task.Id) && old is not null && old.DesiredState == task.DesiredState && old.Status?.Err != task.Status!.Err;
        Enqueue(task);
        return !onlyTheReasonChanged;
    }

    private bool IsWaiting(string taskId) => unassigned.ContainsKey(taskId) || preassigned.ContainsKey(taskId);

    private void Enqueue(SwarmTask task)
    {
        unassigned.Remove(task.Id);
        preassigned.Remove(task.Id);
        // What is only to be removed is the reaper's.
        if (task.DesiredState < TaskState.Remove)
        {
            (task.NodeId.Length == 0 ? unassigned : preassigned)[task.Id] = task;
        }
    }

    private void DecidePreassigned(SwarmTask task, List<Decision> decisions)
    {
        if (!NodeState.IsActive(task))
        {
            preassigned.Remove(task.Id);
            decisions.Add(Decision.ShutDown(task));
            return;
        }
        int number = Fleet.NumberOf(task.NodeId);
        if (number < 0)
        {
            // The node is gone; the orchestrator will see to the task.
            return;
        }
        TaskRequirements asked = TaskRequirements.Of(task);
        NodeState node = Fleet[number];
        FeasibilityFilters failure = Feasibility.FirstFailure(asked, node);
        if (failure == FeasibilityFilters.None)
        {
            preassigned.Remove(task.Id);
            decisions.Add(Decision.Confirm(task, node.Node, Fleet.Place(task.Id, asked, number)));
        }
        else
        {
            Explain([task], NoSuitableNode.Of(failure), decisions);
        }
    }

    // Groups of tasks that ask the same, the one with the oldest task first. Tasks without a spec version are compared by spec.
    private IEnumerable<List<SwarmTask>> Groups(List<Decision> decisions)
    {
        var groups = new Dictionary<(SpecKey Key, TaskSpec? Spec), List<SwarmTask>>();
        foreach (SwarmTask task in unassigned.Values)
        {
            if (!NodeState.IsActive(task))
            {
                decisions.Add(Decision.ShutDown(task));
                continue;
            }
            (SpecKey, TaskSpec?) key = (SpecKey.Of(task), task.SpecVersion is null ? task.Spec : null);
            if (!groups.TryGetValue(key, out List<SwarmTask>? group))
            {
                groups[key] = group = [];
            }
            group.Add(task);
        }
        foreach (Decision decision in decisions)
        {
            unassigned.Remove(decision.Task.Id);
        }
        return groups.Values
            .Select(g => (Group: g, Oldest: g.Min(t => t.Meta?.CreatedAt?.ToDateTimeOffset() ?? default)))
            .OrderBy(g => g.Oldest)
            .Select(g => g.Group);
    }

    private void PlaceGroup(List<SwarmTask> group, DateTimeOffset now, List<Decision> decisions)
    {
        TaskRequirements asked = TaskRequirements.Of(group[0]);
        var placed = new List<Placed>(group.Count);
        int count = placer.Place(asked, group, now, placed);
        foreach (Placed p in placed)
        {
            unassigned.Remove(p.Task.Id);
            decisions.Add(Decision.Assign(p.Task, Fleet[p.Number].Node, p.Given));
        }
        if (count < group.Count)
        {
            Explain(group.Skip(count), NoSuitableNode.Of(asked, Fleet.Nodes).ToString(), decisions);
        }
    }

    private static void Explain(IEnumerable<SwarmTask> tasks, string why, List<Decision> decisions)
    {
        foreach (SwarmTask task in tasks)
        {
            if (task.Status.Err != why)
            {
                decisions.Add(Decision.Wait(task, why));
            }
        }
    }
}
