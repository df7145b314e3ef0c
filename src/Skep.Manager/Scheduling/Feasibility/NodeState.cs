using Docker.Swarmkit.V1;

namespace Skep.Manager.Scheduling;

/// <summary>A node with what its tasks use of it. Pure bookkeeping; it belongs to one thread.</summary>
internal sealed class NodeState
{
    private readonly Dictionary<string, TaskUse> tasks = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> activeByService = new(StringComparer.Ordinal);
    private readonly Dictionary<HostPort, int> hostPorts = [];
    private GenericAmounts generic;

    /// <summary>A node without tasks.</summary>
    public NodeState(Node node)
    {
        Node = node;
        generic = new([]);
        Refresh(node);
    }

    /// <summary>The node as it was last seen in the store.</summary>
    public Node Node { get; private set; }

    /// <summary>CPU that is not reserved; below zero where the node shrank.</summary>
    public long FreeNanoCpus { get; private set; }

    /// <summary>Memory that is not reserved; below zero where the node shrank.</summary>
    public long FreeMemoryBytes { get; private set; }

    /// <summary>Tasks that are wanted to run or to complete here.</summary>
    public int ActiveTasks { get; private set; }

    /// <summary>Ids of all tasks that hold something of the node.</summary>
    public IReadOnlyCollection<string> TaskIds => tasks.Keys;

    /// <summary>A node with its tasks; those that hold nothing of a node are left out.</summary>
    public static NodeState Of(Node node, IEnumerable<SwarmTask> tasks)
    {
        var state = new NodeState(node);
        foreach (SwarmTask task in tasks)
        {
            if (Holds(task))
            {
                state.Put(task);
            }
        }
        return state;
    }

    /// <summary>Whether a task takes room on its node: it was placed there and has not ended.</summary>
    public static bool Holds(SwarmTask task) =>
        task.NodeId.Length > 0 && (task.Status?.State ?? TaskState.New) is > TaskState.Pending and <= TaskState.Running;

    /// <summary>Whether a task counts when tasks are spread: it is wanted to run or to complete.</summary>
    public static bool IsActive(SwarmTask task) => task.DesiredState <= TaskState.Complete;

    /// <summary>Active tasks of a service.</summary>
    public int ActiveTasksOf(string serviceId) => activeByService.GetValueOrDefault(serviceId);

    /// <summary>Free pieces of a generic resource.</summary>
    public long FreeGeneric(string kind) => generic.Free(kind);

    /// <summary>Whether a task here holds the port.</summary>
    public bool IsUsed(HostPort port) => hostPorts.ContainsKey(port);

    /// <summary>Picks the pieces of generic resources a task gets. They count as taken once the task is put.</summary>
    public IReadOnlyList<GenericResource> ChooseGeneric(TaskRequirements asked)
    {
        if (asked.Generic.Count == 0)
        {
            return [];
        }
        List<GenericResource> chosen = generic.Claim(asked.Generic);
        generic.Return(chosen);
        return chosen;
    }

    /// <summary>The node changed: its tasks stay, what is free is counted anew.</summary>
    public void Refresh(Node node)
    {
        Node = node;
        Resources? total = node.Description?.Resources;
        FreeNanoCpus = total?.NanoCpus ?? 0;
        FreeMemoryBytes = total?.MemoryBytes ?? 0;
        generic = new(total?.Generic ?? Enumerable.Empty<GenericResource>());
        foreach (TaskUse use in tasks.Values)
        {
            FreeNanoCpus -= use.NanoCpus;
            FreeMemoryBytes -= use.MemoryBytes;
            generic.Take(use.Generic);
        }
    }

    /// <summary>Counts a task, or what changed of it.</summary>
    public void Put(SwarmTask task) => Put(task.Id, TaskUse.Of(task));

    /// <summary>Counts a task that is just being placed here.</summary>
    public void Put(string taskId, TaskRequirements asked, IReadOnlyList<GenericResource> given) =>
        Put(taskId, new(asked.ServiceId, true, asked.NanoCpus, asked.MemoryBytes, given, asked.HostPorts));

    /// <summary>A task is gone or has ended.</summary>
    public bool Remove(string taskId)
    {
        if (!tasks.Remove(taskId, out TaskUse? use))
        {
            return false;
        }
        FreeNanoCpus += use.NanoCpus;
        FreeMemoryBytes += use.MemoryBytes;
        generic.Return(use.Generic);
        foreach (HostPort port in use.HostPorts)
        {
            if (--hostPorts[port] == 0)
            {
                hostPorts.Remove(port);
            }
        }
        if (use.Active)
        {
            ActiveTasks--;
            int left = activeByService[use.ServiceId] - 1;
            if (left == 0)
            {
                activeByService.Remove(use.ServiceId);
            }
            else
            {
                activeByService[use.ServiceId] = left;
            }
        }
        return true;
    }

    private void Put(string taskId, TaskUse use)
    {
        Remove(taskId);
        tasks[taskId] = use;
        FreeNanoCpus -= use.NanoCpus;
        FreeMemoryBytes -= use.MemoryBytes;
        generic.Take(use.Generic);
        foreach (HostPort port in use.HostPorts)
        {
            hostPorts[port] = hostPorts.GetValueOrDefault(port) + 1;
        }
        if (use.Active)
        {
            ActiveTasks++;
            activeByService[use.ServiceId] = activeByService.GetValueOrDefault(use.ServiceId) + 1;
        }
    }

    // What was counted for a task, kept so that exactly that is given back.
    private sealed record TaskUse(
        string ServiceId,
        bool Active,
        long NanoCpus,
        long MemoryBytes,
        IReadOnlyList<GenericResource> Generic,
        IReadOnlyList<HostPort> HostPorts)
    {
        public static TaskUse Of(SwarmTask task) => new(
            task.ServiceId,
            IsActive(task),
            Math.Max(0, task.Spec?.Resources?.Reservations?.NanoCpus ?? 0),
            Math.Max(0, task.Spec?.Resources?.Reservations?.MemoryBytes ?? 0),
            task.AssignedGenericResources,
            HostPort.Of(task));
    }
}
