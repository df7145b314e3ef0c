using Docker.Swarmkit.V1;
using SwarmTask = Docker.Swarmkit.V1.Task;

namespace Skep.Api;

/// <summary>Names of things that have none of their own (source: moby/swarmkit api/naming).</summary>
public static class ObjectNames
{
    /// <summary>Runtime of tasks that are containers.</summary>
    public const string ContainerRuntime = "container";

    /// <summary>Runtime of tasks that stand for a container run outside the cluster.</summary>
    public const string AttachmentRuntime = "attachment";

    /// <summary>A task's full name: its own, or service.slot.id, or service.node.id for a task bound to its node.</summary>
    public static string Of(SwarmTask task)
    {
        ArgumentNullException.ThrowIfNull(task);
        if (!string.IsNullOrEmpty(task.Annotations?.Name))
        {
            return task.Annotations.Name;
        }
        return $"{ServiceAndSlot(task)}.{task.Id}";
    }

    /// <summary>A task's short name: service.slot, or service.node for a task bound to its node.</summary>
    public static string ServiceAndSlot(SwarmTask task)
    {
        ArgumentNullException.ThrowIfNull(task);
        string instance = task.Slot == 0 ? task.NodeId : task.Slot.ToString(System.Globalization.CultureInfo.InvariantCulture);
        return $"{task.ServiceAnnotations?.Name}.{instance}";
    }

    /// <summary>What runs a task: "container", "attachment", or the kind of a generic runtime in lower case; null when the spec says nothing.</summary>
    public static string? RuntimeOf(TaskSpec? spec) => spec?.RuntimeCase switch
    {
        TaskSpec.RuntimeOneofCase.Container => ContainerRuntime,
        TaskSpec.RuntimeOneofCase.Attachment => AttachmentRuntime,
        TaskSpec.RuntimeOneofCase.Generic => spec.Generic.Kind.ToLowerInvariant(),
        _ => null,
    };

    /// <summary>How people call a node: its hostname, or its id before it has said one.</summary>
    public static string Of(Node node)
    {
        ArgumentNullException.ThrowIfNull(node);
        return string.IsNullOrEmpty(node.Description?.Hostname) ? node.Id : node.Description.Hostname;
    }

    /// <summary>A service's mode: replicated, global, replicated-job or global-job; empty when the spec has none.</summary>
    public static string ModeOf(ServiceSpec? spec) => spec?.ModeCase switch
    {
        ServiceSpec.ModeOneofCase.Replicated => "replicated",
        ServiceSpec.ModeOneofCase.Global => "global",
        ServiceSpec.ModeOneofCase.ReplicatedJob => "replicated-job",
        ServiceSpec.ModeOneofCase.GlobalJob => "global-job",
        _ => "",
    };
}
