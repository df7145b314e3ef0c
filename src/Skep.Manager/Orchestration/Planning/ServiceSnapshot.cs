using Docker.Swarmkit.V1;
using Skep.Store;

namespace Skep.Manager.Orchestration;

/// <summary>Everything of the store that a plan for one service depends on, of one moment.</summary>
internal sealed class ServiceSnapshot
{
    private readonly Dictionary<string, Node?> nodes;

    /// <summary>A moment put together by hand.</summary>
    public ServiceSnapshot(string serviceId, Service? service, IReadOnlyList<SwarmTask> tasks, IEnumerable<Node> nodes, Cluster? cluster = null)
    {
        ServiceId = serviceId;
        Service = service;
        Tasks = tasks;
        Cluster = cluster;
        this.nodes = nodes.ToDictionary(static n => n.Id, static n => (Node?)n, StringComparer.Ordinal);
    }

    private ServiceSnapshot(string serviceId, IStoreView view, Cluster? cluster)
    {
        ServiceId = serviceId;
        Cluster = cluster;
        Service = view.Get<Service>(serviceId);
        Tasks = [.. view.TasksByService(serviceId)];
        nodes = new(StringComparer.Ordinal);
        if (Service?.Spec?.ModeCase is ServiceSpec.ModeOneofCase.Global or ServiceSpec.ModeOneofCase.GlobalJob)
        {
            foreach (Node node in view.List<Node>())
            {
                nodes[node.Id] = node;
            }
        }
        foreach (SwarmTask task in Tasks)
        {
            if (task.NodeId.Length > 0 && !nodes.ContainsKey(task.NodeId))
            {
                nodes[task.NodeId] = view.Get<Node>(task.NodeId);
            }
        }
    }

    /// <summary>The service's id.</summary>
    public string ServiceId { get; }

    /// <summary>The service; null once it was removed.</summary>
    public Service? Service { get; }

    /// <summary>Its tasks, history included.</summary>
    public IReadOnlyList<SwarmTask> Tasks { get; }

    /// <summary>The cluster, for its defaults.</summary>
    public Cluster? Cluster { get; }

    /// <summary>Every node for a global service; for others those its tasks are on.</summary>
    public IEnumerable<Node> Nodes => nodes.Values.OfType<Node>();

    /// <summary>Reads a service out of the store.</summary>
    public static ServiceSnapshot Of(string serviceId, IStoreView view, Cluster? cluster) => new(serviceId, view, cluster);

    /// <summary>A node, or null where it is gone or no node is given.</summary>
    public Node? NodeOf(string nodeId) => nodes.GetValueOrDefault(nodeId);
}
