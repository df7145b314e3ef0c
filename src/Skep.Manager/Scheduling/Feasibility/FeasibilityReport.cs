using System.Globalization;
using Docker.Swarmkit.V1;

namespace Skep.Manager.Scheduling;

/// <summary>Everything that keeps a task from a node, with what is asked and what there is; for people who want to mend it.</summary>
internal static class FeasibilityReport
{
    private const string Nothing = "none";

    /// <summary>Every failing filter, in order; empty when the task can run there.</summary>
    public static IReadOnlyList<FeasibilityFailure> Of(TaskRequirements task, NodeState node)
    {
        var failures = new List<FeasibilityFailure>();
        foreach (FeasibilityFilters filter in NoSuitableNode.Order)
        {
            if (!Feasibility.Fits(task, node, filter))
            {
                Describe(filter, task, node, failures);
            }
        }
        return failures;
    }

    /// <summary>What would get the better of a filter, as one sentence.</summary>
    public static string Remedy(FeasibilityFilters filter) => filter switch
    {
        FeasibilityFilters.Ready => "Start the node, or set its availability to active.",
        FeasibilityFilters.Resources => "Lower the reservation, free some on a node, or add a node that has as much.",
        FeasibilityFilters.Plugins => "Install the plugin on a node, or use another driver.",
        FeasibilityFilters.Constraints => "Change the constraint, or give a node the label it asks for.",
        FeasibilityFilters.Platform => "Use an image for this platform, or add a node of the image's.",
        FeasibilityFilters.HostPorts => "Publish another port, or add a node where it is free.",
        FeasibilityFilters.MaxReplicas => "Raise the most replicas a node may have, or add a node.",
        FeasibilityFilters.Engine => "Start a container engine on a node, or use the process runtime.",
        FeasibilityFilters.Runtime => "Add a node with this runtime, or use an image.",
        FeasibilityFilters.Ingress => "Publish the port in host mode, or add a Skep node: Docker's own mesh needs IP_VS.",
        _ => "",
    };

    private static void Describe(FeasibilityFilters filter, TaskRequirements task, NodeState state, List<FeasibilityFailure> to)
    {
        Node node = state.Node;
        switch (filter)
        {
            case FeasibilityFilters.Ready:
                to.Add(new(
                    filter,
                    "availability",
                    "READY and ACTIVE",
                    $"{(node.Status?.State ?? NodeStatus.Types.State.Unknown).ToString().ToUpperInvariant()} and {(node.Spec?.Availability ?? 0).ToString().ToUpperInvariant()}"));
                break;
            case FeasibilityFilters.Resources:
                DescribeResources(task, state, to);
                break;
            case FeasibilityFilters.Plugins:
                foreach (RequiredPlugin plugin in task.Plugins.Where(p => !Feasibility.HasPlugin(p, node)))
                {
                    string has = string.Join(", ", node.Description!.Engine.Plugins.Where(p => p.Type == plugin.Type).Select(p => p.Name));
                    to.Add(new(filter, $"{plugin.Type} plugin", plugin.Name, has.Length > 0 ? has : Nothing));
                }
                break;
            case FeasibilityFilters.Constraints when task.ConstraintError is { } error:
                to.Add(new(filter, "constraint", error, "no node meets a constraint that cannot be read"));
                break;
            case FeasibilityFilters.Constraints:
                foreach (Constraint constraint in task.Constraints.Where(c => !c.IsMetBy(node)))
                {
                    string? value = ConstraintMatching.ValueOf(constraint.Key, node);
                    to.Add(new(filter, $"constraint {constraint}", constraint.ToString(), value is null ? "no such key" : value.Length > 0 ? value : Nothing));
                }
                break;
            case FeasibilityFilters.Platform:
                to.Add(new(filter, "platform", string.Join(", ", task.Platforms.Select(Text)), node.Description?.Platform is { } p1 ? Text(p1) : Nothing));
                break;
            case FeasibilityFilters.HostPorts:
                foreach (HostPort port in task.HostPorts.Where(state.IsUsed))
                {
                    to.Add(new(filter, "host-mode port", port.ToString(), "in use by another task"));
                }
                break;
            case FeasibilityFilters.MaxReplicas:
                int active = state.ActiveTasksOf(task.ServiceId);
                to.Add(new(filter, "replicas on this node", $"at most {task.MaxReplicas}", $"{active} already")
                {
                    AskedAmount = (long)task.MaxReplicas,
                    AvailableAmount = active,
                });
                break;
            case FeasibilityFilters.Engine:
                to.Add(new(filter, "container engine", "one for the image", Nothing));
                break;
            case FeasibilityFilters.Runtime:
                to.Add(new(filter, "runtime", task.RuntimeKind!, "not offered by this node"));
                break;
            case FeasibilityFilters.Ingress:
                to.Add(new(filter, "ingress ports", "a Skep agent", "Docker's own agent, whose mesh needs IP_VS"));
                break;
        }
    }

    private static void DescribeResources(TaskRequirements task, NodeState state, List<FeasibilityFailure> to)
    {
        Resources? total = state.Node.Description?.Resources;
        if (task.NanoCpus > 0 && task.NanoCpus > state.FreeNanoCpus)
        {
            to.Add(new(FeasibilityFilters.Resources, "CPUs", Cpus(task.NanoCpus), $"{Cpus(state.FreeNanoCpus)} free of {Cpus(total?.NanoCpus ?? 0)}")
            {
                AskedAmount = task.NanoCpus,
                AvailableAmount = state.FreeNanoCpus,
            });
        }
        if (task.MemoryBytes > 0 && task.MemoryBytes > state.FreeMemoryBytes)
        {
            to.Add(new(FeasibilityFilters.Resources, "memory", Size(task.MemoryBytes), $"{Size(state.FreeMemoryBytes)} free of {Size(total?.MemoryBytes ?? 0)}")
            {
                AskedAmount = task.MemoryBytes,
                AvailableAmount = state.FreeMemoryBytes,
            });
        }
        foreach ((string kind, long count) in task.Generic)
        {
            long free = state.FreeGeneric(kind);
            if (count > 0 && count > free)
            {
                to.Add(new(FeasibilityFilters.Resources, $"generic resource {kind}", count.ToString(CultureInfo.InvariantCulture), $"{free} free")
                {
                    AskedAmount = count,
                    AvailableAmount = free,
                });
            }
        }
    }

    private static string Text(Platform p) => $"{(p.Os.Length > 0 ? p.Os : "any")}/{(p.Architecture.Length > 0 ? p.Architecture : "any")}";

    private static string Cpus(long nano) => (nano / 1e9).ToString("0.###", CultureInfo.InvariantCulture);

    private static string Size(long bytes) => Math.Abs(bytes) switch
    {
        >= 1L << 30 => (bytes / (double)(1L << 30)).ToString("0.#", CultureInfo.InvariantCulture) + " GiB",
        >= 1L << 20 => (bytes / (double)(1L << 20)).ToString("0.#", CultureInfo.InvariantCulture) + " MiB",
        >= 1L << 10 => (bytes / (double)(1L << 10)).ToString("0.#", CultureInfo.InvariantCulture) + " KiB",
        _ => bytes.ToString(CultureInfo.InvariantCulture) + " B",
    };
}
