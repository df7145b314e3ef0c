using Skep.Agent.Tasks;

namespace Skep.Agent.Executors.Docker;

/// <summary>How a task's container is labelled: as SwarmKit does, and with the state directory of the node it belongs to.</summary>
internal static class ContainerLabels
{
    public const string TaskId = Swarm + "task.id";
    public const string StateDirectory = "io.skep.state-directory";
    private const string Swarm = "com.docker.swarm.";

    public static Dictionary<string, string> Of(SwarmTask task, string stateDirectory)
    {
        var labels = new Dictionary<string, string>();
        foreach (var (name, value) in task.Spec.Container.Labels)
        {
            labels[name] = value;
        }

        foreach (var (name, value) in task.Annotations?.Labels ?? [])
        {
            labels[name] = value;
        }

        // The system's own cannot be taken by a user's.
        labels[Swarm + "task"] = "";
        labels[TaskId] = task.Id;
        labels[Swarm + "task.name"] = TaskParts.Name(task);
        labels[Swarm + "node.id"] = task.NodeId;
        labels[Swarm + "service.id"] = task.ServiceId;
        labels[Swarm + "service.name"] = task.ServiceAnnotations?.Name ?? "";
        labels[StateDirectory] = stateDirectory;
        return labels;
    }
}
