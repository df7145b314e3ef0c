using System.Globalization;
using Docker.Swarmkit.V1;
using Skep.Api;
using Skep.Manager.Scheduling;
using Skep.V1;

namespace Skep.Manager.Why;

/// <summary>Says which resource a task asks too much of, and how much the node that comes nearest has.</summary>
internal static class ResourceExplainer
{
    /// <summary>Explains nodes none of which has the resources.</summary>
    public static FilterExplanation Explain(TaskRequirements task, List<NodeState> nodes)
    {
        List<Asked> asked = AskedOf(task);
        // The nearest node lacks the fewest kinds, and of what it lacks has the largest part.
        NodeState nearest = nodes
            .OrderBy(n => asked.Count(a => a.Amount > a.Free(n)))
            .ThenByDescending(n => asked.Where(a => a.Amount > a.Free(n)).Select(a => (double)a.Free(n) / a.Amount).DefaultIfEmpty(1).Min())
            .First();
        List<Asked> lacking = [.. asked.Where(a => a.Amount > a.Free(nearest))];
        return new()
        {
            NearestNode = ObjectNames.Of(nearest.Node),
            Summary = string.Join(", and ", lacking.Select(a => SummaryOf(a, nearest, nodes))),
            Mend = string.Join(" ", lacking.Select(a => MendOf(a, nearest, nodes))),
        };
    }

    private static string SummaryOf(Asked asked, NodeState nearest, List<NodeState> nodes)
    {
        NodeState largest = nodes.MaxBy(asked.Total)!;
        return asked.Total(largest) < asked.Amount
            ? $"asks {asked.Text(asked.Amount)}{asked.Of}; the largest node has {asked.Text(asked.Total(largest))} ({ObjectNames.Of(largest.Node)})"
            : $"asks {asked.Text(asked.Amount)}{asked.Of}; the most that is free on a node is {asked.Text(Math.Max(0, asked.Free(nearest)))} of {asked.Text(asked.Total(nearest))} ({ObjectNames.Of(nearest.Node)})";
    }

    private static string MendOf(Asked asked, NodeState nearest, List<NodeState> nodes) =>
        asked.Total(nodes.MaxBy(asked.Total)!) < asked.Amount
            ? $"Lower {asked.Flag}, or add a node with at least {asked.Text(asked.Amount)}{asked.Of}."
            : $"Lower {asked.Flag}, free {asked.Text(asked.Amount - asked.Free(nearest))}{asked.Of} on {ObjectNames.Of(nearest.Node)}, or add a node.";

    private static List<Asked> AskedOf(TaskRequirements task)
    {
        var asked = new List<Asked>();
        if (task.MemoryBytes > 0)
        {
            asked.Add(new(task.MemoryBytes, " of memory", "--memory-reservation", Size, n => n.FreeMemoryBytes, n => n.Node.Description?.Resources?.MemoryBytes ?? 0));
        }
        if (task.NanoCpus > 0)
        {
            asked.Add(new(task.NanoCpus, "", "--cpu-reservation", Cpus, n => n.FreeNanoCpus, n => n.Node.Description?.Resources?.NanoCpus ?? 0));
        }
        foreach ((string kind, long count) in task.Generic)
        {
            asked.Add(new(count, "", "--generic-resources", v => $"{v} {kind}", n => n.FreeGeneric(kind), n => TotalGeneric(n.Node, kind)));
        }
        return asked;
    }

    private static long TotalGeneric(Node node, string kind) =>
        (node.Description?.Resources?.Generic ?? []).Sum(g =>
            g.DiscreteResourceSpec?.Kind == kind ? g.DiscreteResourceSpec.Value : g.NamedResourceSpec?.Kind == kind ? 1 : 0);

    private static string Cpus(long nano)
    {
        string number = (nano / 1e9).ToString("0.###", CultureInfo.InvariantCulture);
        return number == "1" ? "1 CPU" : $"{number} CPUs";
    }

    private static string Size(long sizeBytes) => ByteSizes.Format(sizeBytes).Replace(".0 ", " ", StringComparison.Ordinal);

    private sealed record Asked(long Amount, string Of, string Flag, Func<long, string> Text, Func<NodeState, long> Free, Func<NodeState, long> Total);
}
