using System.Globalization;
using Docker.Swarmkit.V1;
using Skep.Store;

namespace Skep.Manager.Dispatch.Assignments;

/// <summary>
/// What one agent was told, and what it must be told next: its tasks from ASSIGNED on, and the secrets and configs they use.
/// A dependency goes out with the first task that needs it and is taken back when the last one has ended or gone.
/// </summary>
internal sealed class AssignmentSet(string nodeId)
{
    private readonly Dictionary<string, SwarmTask> known = new(StringComparer.Ordinal);
    private readonly Dictionary<Dependency, HashSet<string>> users = [];

    private readonly Dictionary<Dependency, AssignmentChange> dependencyUpdates = [];
    private readonly Dictionary<string, AssignmentChange> taskChanges = new(StringComparer.Ordinal);
    private readonly Dictionary<Dependency, AssignmentChange> dependencyRemovals = [];
    private long sequence;

    /// <summary>Whether there is anything to tell.</summary>
    public bool HasChanges => dependencyUpdates.Count + taskChanges.Count + dependencyRemovals.Count > 0;

    /// <summary>Lists the node's tasks and takes up every difference.</summary>
    public void Resync(IStoreView view)
    {
        var present = new HashSet<string>(StringComparer.Ordinal);
        foreach (SwarmTask task in view.TasksByNode(nodeId))
        {
            present.Add(task.Id);
            Put(view, task);
        }
        foreach (string gone in known.Keys.Where(id => !present.Contains(id)).ToList())
        {
            Remove(gone);
        }
    }

    /// <summary>Takes up the present state of some tasks.</summary>
    public void Apply(IStoreView view, IEnumerable<string> taskIds)
    {
        foreach (string id in taskIds)
        {
            if (view.Get<SwarmTask>(id) is { } task && task.NodeId == nodeId)
            {
                Put(view, task);
            }
            else
            {
                Remove(id);
            }
        }
    }

    /// <summary>Takes the message with what has changed since the last one.</summary>
    public AssignmentsMessage Take(AssignmentsMessage.Types.Type type)
    {
        var message = new AssignmentsMessage
        {
            Type = type,
            AppliesTo = sequence == 0 ? "" : sequence.ToString(CultureInfo.InvariantCulture),
            ResultsIn = (++sequence).ToString(CultureInfo.InvariantCulture),
        };

        // An agent takes changes up in their order: what a task needs comes before it, and goes after it.
        message.Changes.Add(dependencyUpdates.Values);
        message.Changes.Add(taskChanges.Values);
        message.Changes.Add(dependencyRemovals.Values);
        dependencyUpdates.Clear();
        taskChanges.Clear();
        dependencyRemovals.Clear();
        return message;
    }

    private void Put(IStoreView view, SwarmTask task)
    {
        TaskState state = task.Status?.State ?? TaskState.New;
        if (state < TaskState.Assigned)
        {
            return;
        }
        bool ended = state > TaskState.Running;
        if (!known.TryGetValue(task.Id, out SwarmTask? old))
        {
            if (!ended)
            {
                Acquire(view, task);
            }
        }
        else
        {
            if (ended)
            {
                Release(task);
            }

            // Up to ASSIGNED the managers set the status, so the agent has to hear of it; from there on it is the agent's own.
            if (state > TaskState.Assigned && StableTask.SameToAgent(old, task))
            {
                known[task.Id] = task;
                return;
            }
        }
        known[task.Id] = task;
        taskChanges[task.Id] = new() { Assignment = new() { Task = task }, Action = AssignmentChange.Types.AssignmentAction.Update };
    }

    private void Remove(string taskId)
    {
        if (known.Remove(taskId, out SwarmTask? task))
        {
            taskChanges[taskId] = new()
            {
                Assignment = new() { Task = new() { Id = taskId } },
                Action = AssignmentChange.Types.AssignmentAction.Remove,
            };
            Release(task);
        }
    }

    private void Acquire(IStoreView view, SwarmTask task)
    {
        foreach (Dependency dependency in TaskDependencies.Of(task))
        {
            if (users.TryGetValue(dependency, out HashSet<string>? tasks))
            {
                tasks.Add(task.Id);
                continue;
            }
            users[dependency] = new(StringComparer.Ordinal) { task.Id };
            dependencyRemovals.Remove(dependency);
            if (Load(view, dependency) is { } assignment)
            {
                dependencyUpdates[dependency] = new() { Assignment = assignment, Action = AssignmentChange.Types.AssignmentAction.Update };
            }
        }
    }

    private void Release(SwarmTask task)
    {
        foreach (Dependency dependency in TaskDependencies.Of(task))
        {
            if (users.TryGetValue(dependency, out HashSet<string>? tasks) && tasks.Remove(task.Id) && tasks.Count == 0)
            {
                users.Remove(dependency);
                dependencyUpdates.Remove(dependency);
                dependencyRemovals[dependency] = new()
                {
                    Assignment = dependency.Type == ResourceType.Secret
                        ? new() { Secret = new() { Id = dependency.Id } }
                        : new() { Config = new() { Id = dependency.Id } },
                    Action = AssignmentChange.Types.AssignmentAction.Remove,
                };
            }
        }
    }

    /// <returns>Null for one that is gone: the agent reports the task that needs it.</returns>
    private static Assignment? Load(IStoreView view, Dependency dependency) => dependency.Type == ResourceType.Secret
        ? view.Get<Secret>(dependency.Id) is { } secret ? new() { Secret = secret } : null
        : view.Get<Config>(dependency.Id) is { } config ? new() { Config = config } : null;
}
