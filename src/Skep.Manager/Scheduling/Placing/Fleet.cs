using Docker.Swarmkit.V1;

namespace Skep.Manager.Scheduling;

/// <summary>
/// All nodes with what their tasks use, laid out so that many tasks can be placed fast: nodes have fixed numbers, what is
/// compared most lies in arrays, and what nodes are by themselves is asked once per kind of task. Pure; for one thread.
/// </summary>
internal sealed class Fleet
{
    private const int MostCachedAnswers = 512;

    private readonly Dictionary<string, int> numbers = new(StringComparer.Ordinal);
    private readonly Stack<int> freeNumbers = new();
    private readonly Dictionary<string, Home> homes = new(StringComparer.Ordinal);
    private readonly Dictionary<string, HashSet<int>> nodesOfService = new(StringComparer.Ordinal);
    private readonly Dictionary<string, bool[]> nodeOnlyAnswers = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Dictionary<string, SwarmTask>> early = new(StringComparer.Ordinal);
    private NodeState?[] nodes = new NodeState?[16];
    private int[] activeTasks = new int[16];

    /// <summary>One more than the highest number of a node.</summary>
    public int Numbers { get; private set; }

    /// <summary>Active tasks by node number.</summary>
    public ReadOnlySpan<int> ActiveTasks => activeTasks.AsSpan(0, Numbers);

    /// <summary>Every node.</summary>
    public IEnumerable<NodeState> Nodes
    {
        get
        {
            for (int i = 0; i < Numbers; i++)
            {
                if (nodes[i] is { } node)
                {
                    yield return node;
                }
            }
        }
    }

    /// <summary>The node of a number in use.</summary>
    public NodeState this[int number] => nodes[number]!;

    /// <summary>A node's number; -1 where there is no such node.</summary>
    public int NumberOf(string nodeId) => numbers.GetValueOrDefault(nodeId, -1);

    /// <summary>Numbers of the nodes with active tasks of a service.</summary>
    public IReadOnlyCollection<int> NodesOf(string serviceId) => nodesOfService.TryGetValue(serviceId, out HashSet<int>? set) ? set : [];

    /// <summary>A node is new or changed.</summary>
    public void PutNode(Node node)
    {
        nodeOnlyAnswers.Clear();
        if (numbers.TryGetValue(node.Id, out int known))
        {
            nodes[known]!.Refresh(node);
            return;
        }
        if (!freeNumbers.TryPop(out int number))
        {
            number = Numbers++;
            if (number == nodes.Length)
            {
                Array.Resize(ref nodes, number * 2);
                Array.Resize(ref activeTasks, number * 2);
            }
        }
        nodes[number] = new NodeState(node);
        activeTasks[number] = 0;
        numbers[node.Id] = number;
        if (early.Remove(node.Id, out Dictionary<string, SwarmTask>? tasks))
        {
            foreach (SwarmTask task in tasks.Values)
            {
                Put(task);
            }
        }
    }

    /// <summary>A node is gone, and its tasks with it.</summary>
    public void RemoveNode(string nodeId)
    {
        if (!numbers.Remove(nodeId, out int number))
        {
            return;
        }
        nodeOnlyAnswers.Clear();
        foreach (string taskId in nodes[number]!.TaskIds.ToList())
        {
            Remove(taskId);
        }
        nodes[number] = null;
        activeTasks[number] = 0;
        freeNumbers.Push(number);
    }

    /// <summary>A placed task, or what changed of it. Where its node is not known yet it counts once the node is.</summary>
    public void Put(SwarmTask task)
    {
        if (!numbers.TryGetValue(task.NodeId, out int number))
        {
            if (!early.TryGetValue(task.NodeId, out Dictionary<string, SwarmTask>? waiting))
            {
                early[task.NodeId] = waiting = new(StringComparer.Ordinal);
            }
            waiting[task.Id] = task;
            homes[task.Id] = new(-1, task.NodeId);
            return;
        }
        Leave(task.Id, number);
        nodes[number]!.Put(task);
        Arrive(task.Id, number, task.ServiceId);
    }

    /// <summary>Places a task and gives it the generic resources it asks for.</summary>
    /// <returns>The resources it was given.</returns>
    public IReadOnlyList<GenericResource> Place(string taskId, TaskRequirements asked, int number)
    {
        NodeState node = nodes[number]!;
        IReadOnlyList<GenericResource> given = node.ChooseGeneric(asked);
        Leave(taskId, number);
        node.Put(taskId, asked, given);
        Arrive(taskId, number, asked.ServiceId);
        return given;
    }

    /// <summary>A task is gone, has ended, or was not placed after all.</summary>
    /// <returns>Whether it held anything.</returns>
    public bool Remove(string taskId)
    {
        if (!homes.Remove(taskId, out Home home))
        {
            return false;
        }
        if (home.Number < 0)
        {
            if (early.TryGetValue(home.Service, out Dictionary<string, SwarmTask>? waiting) && waiting.Remove(taskId) && waiting.Count == 0)
            {
                early.Remove(home.Service);
            }
            return false;
        }
        nodes[home.Number]!.Remove(taskId);
        Recount(home);
        return true;
    }

    /// <summary>By node number: may such a task run there, going by the node alone? False for numbers not in use.</summary>
    public ReadOnlySpan<bool> NodeOnly(TaskRequirements task)
    {
        if (!nodeOnlyAnswers.TryGetValue(task.NodeOnlyKey, out bool[]? answers))
        {
            if (nodeOnlyAnswers.Count == MostCachedAnswers)
            {
                nodeOnlyAnswers.Clear();
            }
            answers = new bool[Numbers];
            for (int i = 0; i < answers.Length; i++)
            {
                answers[i] = nodes[i] is { } node && Feasibility.Fits(task, node, FeasibilityFilters.NodeOnly);
            }
            nodeOnlyAnswers[task.NodeOnlyKey] = answers;
        }
        return answers;
    }

    private void Leave(string taskId, int forNumber)
    {
        if (homes.TryGetValue(taskId, out Home home) && home.Number != forNumber)
        {
            Remove(taskId);
        }
    }

    private void Arrive(string taskId, int number, string serviceId)
    {
        var home = new Home(number, serviceId);
        homes[taskId] = home;
        Recount(home);
    }

    private void Recount(Home home)
    {
        NodeState node = nodes[home.Number]!;
        activeTasks[home.Number] = node.ActiveTasks;
        bool has = node.ActiveTasksOf(home.Service) > 0;
        if (nodesOfService.TryGetValue(home.Service, out HashSet<int>? set))
        {
            if (has)
            {
                set.Add(home.Number);
            }
            else if (set.Remove(home.Number) && set.Count == 0)
            {
                nodesOfService.Remove(home.Service);
            }
        }
        else if (has)
        {
            nodesOfService[home.Service] = [home.Number];
        }
    }

    // Where a task counts. A task whose node is unknown has number -1, and the node's id in the service's place.
    private readonly record struct Home(int Number, string Service);
}
