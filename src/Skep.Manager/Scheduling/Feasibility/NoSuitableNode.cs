namespace Skep.Manager.Scheduling;

/// <summary>
/// Says over all nodes why a task has no place, in SwarmKit's words (moby/swarmkit manager/scheduler/filter.go): each node
/// counts for the first filter that refuses it, the filter with most nodes comes first.
/// </summary>
internal sealed class NoSuitableNode
{
    /// <summary>Every filter in the order of checking.</summary>
    public static readonly IReadOnlyList<FeasibilityFilters> Order =
    [
        FeasibilityFilters.Ready,
        FeasibilityFilters.Resources,
        FeasibilityFilters.Plugins,
        FeasibilityFilters.Constraints,
        FeasibilityFilters.Platform,
        FeasibilityFilters.HostPorts,
        FeasibilityFilters.MaxReplicas,
        FeasibilityFilters.Engine,
        FeasibilityFilters.Runtime,
        FeasibilityFilters.Ingress,
    ];

    private readonly int[] nodesByFilter = new int[Order.Count];

    /// <summary>Counts over nodes.</summary>
    public static NoSuitableNode Of(TaskRequirements task, IEnumerable<NodeState> nodes)
    {
        var result = new NoSuitableNode();
        foreach (NodeState node in nodes)
        {
            result.Count(Feasibility.FirstFailure(task, node));
        }
        return result;
    }

    /// <summary>Why the one node a task is bound to refuses it: the explanation alone.</summary>
    public static string Of(FeasibilityFilters failure) =>
        Explain(failure, 1);

    /// <summary>Counts one node.</summary>
    public void Count(FeasibilityFilters failure)
    {
        if (failure != FeasibilityFilters.None)
        {
            nodesByFilter[System.Numerics.BitOperations.TrailingZeroCount((int)failure)]++;
        }
    }

    /// <summary>The text for a task's status: "no suitable node (…; …)".</summary>
    public override string ToString()
    {
        string[] explanations =
        [
            .. Enumerable.Range(0, nodesByFilter.Length)
                .Where(i => nodesByFilter[i] > 0)
                .OrderByDescending(i => nodesByFilter[i])
                .Select(i => Explain(Order[i], nodesByFilter[i])),
        ];
        return explanations.Length == 0 ? "no suitable node" : $"no suitable node ({string.Join("; ", explanations)})";
    }

    private static string Explain(FeasibilityFilters filter, int count)
    {
        string nodes = count == 1 ? "1 node" : $"{count} nodes";
        return filter switch
        {
            FeasibilityFilters.Ready => $"{nodes} not available for new tasks",
            FeasibilityFilters.Resources => $"insufficient resources on {nodes}",
            FeasibilityFilters.Plugins => $"missing plugin on {nodes}",
            FeasibilityFilters.Constraints => $"scheduling constraints not satisfied on {nodes}",
            FeasibilityFilters.Platform => $"unsupported platform on {nodes}",
            FeasibilityFilters.HostPorts => $"host-mode port already in use on {nodes}",
            FeasibilityFilters.MaxReplicas => "max replicas per node limit exceed",
            FeasibilityFilters.Engine => $"no container engine on {nodes}",
            FeasibilityFilters.Runtime => $"runtime not available on {nodes}",
            FeasibilityFilters.Ingress => $"ingress ports not carried by the Docker agent on {nodes}, whose mesh needs IP_VS: publish in host mode",
            _ => "",
        };
    }
}
