using Docker.Swarmkit.V1;

namespace Skep.Agent.Executors.Docker;

/// <summary>Which of the engine's own networks a task is put into. Networks across nodes are refused.</summary>
internal static class TaskNetwork
{
    private const string Predefined = "com.docker.swarm.predefined";
    private static readonly string[] OwnNames = ["host", "bridge", "none"];

    /// <summary>The network's name; null for the engine's default.</summary>
    /// <exception cref="TaskRejectedException">The task wants a network this node does not have.</exception>
    public static string? Mode(SwarmTask task)
    {
        // The mesh's own network is not needed: this node carries published ports by itself.
        var networks = task.Networks.Where(n => n.Network?.Spec?.Ingress != true).ToList();
        if (networks.Count == 0)
        {
            return task.Spec.Networks.Count > 0 && task.Networks.Count == 0
                ? throw new TaskRejectedException($"network {task.Spec.Networks[0].Target}: the managers did not attach the task to it")
                : null;
        }

        var network = networks[0].Network?.Spec ?? new NetworkSpec();
        var name = network.Annotations?.Name ?? "";
        var isOwn = (network.Annotations?.Labels.TryGetValue(Predefined, out var value) == true && value == "true")
            || networks[0].Network?.DriverState?.Name is "host" or "bridge" or "null";
        if (!isOwn || !OwnNames.Contains(name))
        {
            var driver = networks[0].Network?.DriverState?.Name ?? network.DriverConfig?.Name ?? "";
            throw new TaskRejectedException(
                $"network {name}: this node has no networks across nodes yet (driver {(driver.Length > 0 ? driver : "overlay")}); use host, bridge or none");
        }

        return networks.Count == 1 ? name : throw new TaskRejectedException(
            $"networks: a task can be in one of the node's own networks, not in {string.Join(" and ", networks.Select(n => n.Network?.Spec?.Annotations?.Name))}");
    }
}
