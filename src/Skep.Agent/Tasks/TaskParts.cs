using Docker.Swarmkit.V1;
using Skep.V1;

namespace Skep.Agent.Tasks;

/// <summary>What tasks of the container and process runtimes have in common.</summary>
internal static class TaskParts
{
    /// <summary>What <see cref="ProcessSpec"/> is called in the payload of a generic runtime.</summary>
    public const string ProcessTypeUrl = "type.skep.io/skep.v1.ProcessSpec";

    public static IReadOnlyList<SecretReference> Secrets(SwarmTask task) =>
        task.Spec?.Container?.Secrets ?? Process(task)?.Secrets ?? (IReadOnlyList<SecretReference>)[];

    public static IReadOnlyList<ConfigReference> Configs(SwarmTask task) =>
        task.Spec?.Container?.Configs ?? Process(task)?.Configs ?? (IReadOnlyList<ConfigReference>)[];

    public static IReadOnlyList<string> Environment(SwarmTask task) =>
        task.Spec?.Container?.Env ?? Process(task)?.Env ?? (IReadOnlyList<string>)[];

    /// <summary>The payload of a task of the process runtime; null for other tasks, or when it cannot be read.</summary>
    public static ProcessSpec? Process(SwarmTask task)
    {
        var payload = task.Spec?.Generic?.Payload;
        try
        {
            return payload?.TypeUrl == ProcessTypeUrl ? ProcessSpec.Parser.ParseFrom(payload.Value) : null;
        }
        catch (Google.Protobuf.InvalidProtocolBufferException)
        {
            return null;
        }
    }

    /// <summary>The name of the task's container: service, slot (or node, where there is no slot) and task. Source: moby/swarmkit api/naming.</summary>
    public static string Name(SwarmTask task)
    {
        if (!string.IsNullOrEmpty(task.Annotations?.Name))
        {
            return task.Annotations.Name;
        }

        return $"{task.ServiceAnnotations?.Name}.{(task.Slot == 0 ? task.NodeId : task.Slot.ToString())}.{task.Id}";
    }
}
