using Docker.Swarmkit.V1;
using Skep.Store;

namespace Skep.Manager.Dispatch.Assignments;

/// <summary>What an agent of 1.12 is told: all its tasks, again and again. A task that is not in the list is one to stop.</summary>
internal sealed class TaskList(string nodeId)
{
    private readonly Dictionary<string, SwarmTask> known = new(StringComparer.Ordinal);

    /// <summary>Whether the list is another than the one taken last.</summary>
    public bool HasChanges { get; private set; }

    public void Resync(IStoreView view)
    {
        List<SwarmTask> present = [.. view.TasksByNode(nodeId)];
        Apply(view, [.. known.Keys.Except(present.Select(t => t.Id)), .. present.Select(t => t.Id)]);
    }

    public void Apply(IStoreView view, IEnumerable<string> taskIds)
    {
        foreach (string id in taskIds)
        {
            if (view.Get<SwarmTask>(id) is { } task && task.NodeId == nodeId)
            {
                Put(task);
            }
            else
            {
                HasChanges |= known.Remove(id);
            }
        }
    }

    public TasksMessage Take()
    {
        HasChanges = false;
        return new() { Tasks = { known.Values } };
    }

    private void Put(SwarmTask task)
    {
        TaskState state = task.Status?.State ?? TaskState.New;
        if (state >= TaskState.Assigned)
        {
            HasChanges |= !known.TryGetValue(task.Id, out SwarmTask? old)
                || state == TaskState.Assigned || !StableTask.SameToAgent(old, task);
            known[task.Id] = task;
        }
    }
}
