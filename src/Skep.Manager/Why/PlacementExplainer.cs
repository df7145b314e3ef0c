using Docker.Swarmkit.V1;
using Skep.Api;
using Skep.Manager.Scheduling;
using Skep.V1;

namespace Skep.Manager.Why;

/// <summary>Says why no node takes a task: per filter how many nodes fail it, which one comes nearest, and what would mend it.</summary>
internal static class PlacementExplainer
{
    private const int NodesNamed = 3;

    /// <summary>Why the task is nowhere. Pure.</summary>
    /// <param name="task">What it asks.</param>
    /// <param name="nodes">The nodes it may go to, with what is used on them.</param>
    public static Reason Explain(TaskRequirements task, IReadOnlyList<NodeState> nodes)
    {
        if (nodes.Count == 0)
        {
            return new() { Kind = Reason.Types.Kind.NoNode, Summary = "there is no node to run it on", Mend = "Join a node to the cluster." };
        }
        ILookup<FeasibilityFilters, NodeState> byFilter = nodes.ToLookup(n => Feasibility.FirstFailure(task, n));
        int fitting = byFilter[FeasibilityFilters.None].Count();
        if (fitting > 0)
        {
            return new()
            {
                Kind = Reason.Types.Kind.NotScheduled,
                Summary = $"{Count(fitting)} can run it; the scheduler has not placed it yet",
            };
        }
        List<FilterExplanation> filters =
        [
            .. NoSuitableNode.Order
                .Where(byFilter.Contains)
                .Select(f => Explain(f, task, [.. byFilter[f]]))
                .OrderByDescending(f => f.Nodes),
        ];
        // A node that is there and lacks something is more to the point than one that is away.
        FilterExplanation first = filters.FirstOrDefault(f => f.Filter != NameOf(FeasibilityFilters.Ready)) ?? filters[0];
        return new()
        {
            Kind = Reason.Types.Kind.NoNode,
            Summary = string.Join("; ", filters.OrderBy(f => f == first ? 0 : 1).Select(f => f.Summary)),
            Mend = first.Mend,
            Filters = { filters },
        };
    }

    private static string NameOf(FeasibilityFilters filter) => filter switch
    {
        FeasibilityFilters.HostPorts => "host-ports",
        FeasibilityFilters.MaxReplicas => "max-replicas",
        _ => filter.ToString().ToLowerInvariant(),
    };

    private static FilterExplanation Explain(FeasibilityFilters filter, TaskRequirements task, List<NodeState> nodes)
    {
        var explanation = filter switch
        {
            FeasibilityFilters.Ready => Away(nodes),
            FeasibilityFilters.Resources => ResourceExplainer.Explain(task, nodes),
            FeasibilityFilters.Constraints => Constraints(task, nodes),
            _ => Other(filter, task, nodes),
        };
        explanation.Filter = NameOf(filter);
        explanation.Nodes = (uint)nodes.Count;
        return explanation;
    }

    private static FilterExplanation Away(List<NodeState> nodes)
    {
        var words = new List<string>();
        string mend = "";
        foreach (IGrouping<string, NodeState> group in nodes.GroupBy(n => StandingOf(n.Node)).OrderByDescending(g => g.Count()))
        {
            words.Add($"{Count(group.Count())} {group.Key} ({Names(group)})");
            string name = ObjectNames.Of(group.First().Node);
            if (mend.Length == 0)
            {
                mend = group.Key is "drained" or "paused"
                    ? $"swarmctl node activate {name}"
                    : $"Start swarmd on {name}, or join another node.";
            }
        }
        return new() { NearestNode = ObjectNames.Of(nodes[0].Node), Summary = string.Join(", ", words), Mend = mend };
    }

    private static string StandingOf(Node node) => (node.Status?.State, node.Spec?.Availability) switch
    {
        (NodeStatus.Types.State.Ready, NodeSpec.Types.Availability.Drain) => "drained",
        (NodeStatus.Types.State.Ready, NodeSpec.Types.Availability.Pause) => "paused",
        (NodeStatus.Types.State.Down, _) => "down",
        (NodeStatus.Types.State.Disconnected, _) => "disconnected",
        _ => "not heard of yet",
    };

    private static FilterExplanation Constraints(TaskRequirements task, List<NodeState> nodes)
    {
        if (task.ConstraintError is { } error)
        {
            return new() { Summary = $"a constraint cannot be read: {error}", Mend = "Write the constraint as key==value or key!=value." };
        }
        NodeState nearest = nodes.MinBy(n => task.Constraints.Count(c => !c.IsMetBy(n.Node)))!;
        string name = ObjectNames.Of(nearest.Node);
        List<Constraint> unmet = [.. task.Constraints.Where(c => !c.IsMetBy(nearest.Node))];
        IEnumerable<string> words = unmet.Select(c =>
            $"asks {c}; {name} has {(ConstraintMatching.ValueOf(c.Key, nearest.Node) is { Length: > 0 } value ? value : "none")}");
        Constraint first = unmet[0];
        string mend = first.Equal && first.Key.StartsWith(ConstraintMatching.NodeLabelPrefix, StringComparison.OrdinalIgnoreCase)
            ? $"swarmctl node update {name} --label {first.Key[ConstraintMatching.NodeLabelPrefix.Length..]}={first.Value}, or change --constraint."
            : "Change --constraint, or join a node that meets it.";
        return new() { NearestNode = name, Summary = $"{Count(nodes.Count)} not meeting constraints: {string.Join(", ", words)}", Mend = mend };
    }

    private static FilterExplanation Other(FeasibilityFilters filter, TaskRequirements task, List<NodeState> nodes)
    {
        NodeState nearest = nodes[0];
        string name = ObjectNames.Of(nearest.Node);
        FeasibilityFailure? failure = FeasibilityReport.Of(task, nearest).FirstOrDefault(f => f.Filter == filter);
        return new()
        {
            NearestNode = name,
            Summary = failure is null ? $"{filter} fails on {Count(nodes.Count)}"
                : $"asks {failure.Asked} ({failure.What}); {name}{(nodes.Count > 1 ? $" and {nodes.Count - 1} more" : "")}: {failure.Available}",
            Mend = FeasibilityReport.Remedy(filter),
        };
    }

    private static string Count(int nodes) => nodes == 1 ? "1 node" : $"{nodes} nodes";

    private static string Names(IEnumerable<NodeState> nodes)
    {
        List<string> names = [.. nodes.Select(n => ObjectNames.Of(n.Node)).Order(StringComparer.Ordinal)];
        return string.Join(", ", names.Take(NodesNamed)) + (names.Count > NodesNamed ? ", …" : "");
    }
}
