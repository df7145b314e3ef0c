using Docker.Swarmkit.V1;
using Skep.Api;
using Skep.Identity;

namespace Skep.Manager.Scheduling;

/// <summary>
/// Can this task run on that node, and if not, why? The one answer for the scheduler, the orchestrators, the constraint
/// enforcer and whoever explains a waiting task. Pure.
/// </summary>
internal static class Feasibility
{
    /// <summary>The first filter, in order, that refuses; None when the task can run there.</summary>
    public static FeasibilityFilters FirstFailure(TaskRequirements task, NodeState node, FeasibilityFilters look = FeasibilityFilters.All)
    {
        if ((look & FeasibilityFilters.Ready) != 0 && !IsReady(node.Node))
        {
            return FeasibilityFilters.Ready;
        }
        if ((look & FeasibilityFilters.Resources) != 0 && !HasResources(task, node))
        {
            return FeasibilityFilters.Resources;
        }
        if ((look & FeasibilityFilters.Plugins) != 0 && !HasPlugins(task, node.Node))
        {
            return FeasibilityFilters.Plugins;
        }
        if ((look & FeasibilityFilters.Constraints) != 0 && (task.ConstraintError is not null || !task.Constraints.AreMetBy(node.Node)))
        {
            return FeasibilityFilters.Constraints;
        }
        if ((look & FeasibilityFilters.Platform) != 0 && !IsOnPlatform(task, node.Node))
        {
            return FeasibilityFilters.Platform;
        }
        if ((look & FeasibilityFilters.HostPorts) != 0 && !HasHostPorts(task, node))
        {
            return FeasibilityFilters.HostPorts;
        }
        if ((look & FeasibilityFilters.MaxReplicas) != 0 && task.MaxReplicas > 0 && (ulong)node.ActiveTasksOf(task.ServiceId) >= task.MaxReplicas)
        {
            return FeasibilityFilters.MaxReplicas;
        }
        if ((look & FeasibilityFilters.Engine) != 0 && task.NeedsEngine && !NodeTraits.HasEngine(node.Node.Description))
        {
            return FeasibilityFilters.Engine;
        }
        if ((look & FeasibilityFilters.Runtime) != 0 && task.RuntimeKind is { } kind && !NodeTraits.HasRuntime(node.Node.Description, kind))
        {
            return FeasibilityFilters.Runtime;
        }
        if ((look & FeasibilityFilters.Ingress) != 0 && task.HasIngressPort && !SkepMark.IsOn(node.Node))
        {
            return FeasibilityFilters.Ingress;
        }
        return FeasibilityFilters.None;
    }

    /// <summary>Whether the task can run there.</summary>
    public static bool Fits(TaskRequirements task, NodeState node, FeasibilityFilters look = FeasibilityFilters.All) =>
        FirstFailure(task, node, look) == FeasibilityFilters.None;

    /// <summary>
    /// Tasks that may not stay on a node as it is now: constraints they no longer meet, or reservations that, oldest task
    /// first, no longer fit into what the node has.
    /// </summary>
    public static IEnumerable<SwarmTask> NoLongerFitting(Node node, IEnumerable<SwarmTask> tasksOnNode)
    {
        var state = new NodeState(node);
        foreach (SwarmTask task in tasksOnNode)
        {
            if (Fits(TaskRequirements.Of(task), state, FeasibilityFilters.Staying))
            {
                state.Put(task);
            }
            else
            {
                yield return task;
            }
        }
    }

    /// <summary>Whether a node takes new tasks at all.</summary>
    public static bool IsReady(Node node) =>
        node.Status?.State == NodeStatus.Types.State.Ready
        && (node.Spec?.Availability ?? NodeSpec.Types.Availability.Active) == NodeSpec.Types.Availability.Active;

    /// <summary>Whether a platform a task names is the node's; machine names of the same thing are equal, empty is any.</summary>
    public static bool IsSamePlatform(Platform wanted, Platform node) =>
        (wanted.Os.Length == 0 || wanted.Os == node.Os)
        && (wanted.Architecture.Length == 0 || Architecture(wanted.Architecture) == Architecture(node.Architecture));

    /// <summary>Whether a plugin is on a node. A node that names no log drivers is taken to have them all, as old ones name none.</summary>
    public static bool HasPlugin(RequiredPlugin plugin, Node node)
    {
        bool typeSeen = false;
        foreach (PluginDescription p in node.Description!.Engine.Plugins)
        {
            if (p.Type == plugin.Type)
            {
                typeSeen = true;
                if (p.Name == plugin.Name || (p.Name.Length == plugin.Name.Length + 7 && p.Name.EndsWith(":latest", StringComparison.Ordinal) && p.Name.StartsWith(plugin.Name, StringComparison.Ordinal)))
                {
                    return true;
                }
            }
        }
        return plugin.Type == "Log" && !typeSeen;
    }

    private static bool HasResources(TaskRequirements task, NodeState node)
    {
        // A task that asks for none of a thing fits where there is less than none of it left.
        if ((task.NanoCpus > 0 && task.NanoCpus > node.FreeNanoCpus) || (task.MemoryBytes > 0 && task.MemoryBytes > node.FreeMemoryBytes))
        {
            return false;
        }
        for (int i = 0; i < task.Generic.Count; i++)
        {
            if (task.Generic[i].Value > 0 && task.Generic[i].Value > node.FreeGeneric(task.Generic[i].Key))
            {
                return false;
            }
        }
        return true;
    }

    private static bool HasPlugins(TaskRequirements task, Node node)
    {
        // A node without engine has no such plugins, and other filters say what it lacks.
        if (task.Plugins.Count > 0 && node.Description?.Engine is not null)
        {
            for (int i = 0; i < task.Plugins.Count; i++)
            {
                if (!HasPlugin(task.Plugins[i], node))
                {
                    return false;
                }
            }
        }
        return true;
    }

    private static bool IsOnPlatform(TaskRequirements task, Node node)
    {
        if (task.Platforms.Count == 0)
        {
            return true;
        }
        for (int i = 0; i < task.Platforms.Count; i++)
        {
            if (node.Description?.Platform is { } platform && IsSamePlatform(task.Platforms[i], platform))
            {
                return true;
            }
        }
        return false;
    }

    private static bool HasHostPorts(TaskRequirements task, NodeState node)
    {
        for (int i = 0; i < task.HostPorts.Count; i++)
        {
            if (node.IsUsed(task.HostPorts[i]))
            {
                return false;
            }
        }
        return true;
    }

    private static string Architecture(string name) => name switch
    {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        _ => name,
    };
}
