using Docker.Swarmkit.V1;
using Skep.Manager.Control.Services;
using Skep.Manager.Orchestration;
using Skep.Manager.Scheduling;
using Skep.Store;

namespace Skep.Manager.Why;

/// <summary>The cluster at one moment, as explanations need it. What costs something is made when it is first asked for.</summary>
internal sealed class WhySnapshot
{
    private readonly Dictionary<string, Service> servicesById;
    private readonly Lazy<IReadOnlyList<NodeState>> states;
    private readonly Lazy<ILookup<string, SwarmTask>> tasksByService;

    private WhySnapshot(DateTimeOffset now, List<Node> nodes, List<Service> services, List<SwarmTask> tasks, Dictionary<string, ListServiceStatusesResponse.Types.ServiceStatus> counts)
    {
        Now = now;
        Nodes = nodes.ToDictionary(n => n.Id, StringComparer.Ordinal);
        Services = services;
        servicesById = services.ToDictionary(s => s.Id, StringComparer.Ordinal);
        Tasks = tasks;
        Counts = counts;
        tasksByService = new(() => tasks.ToLookup(t => t.ServiceId, StringComparer.Ordinal));
        states = new(() =>
        {
            ILookup<string, SwarmTask> byNode = tasks.Where(NodeState.Holds).ToLookup(t => t.NodeId, StringComparer.Ordinal);
            return [.. nodes.OrderBy(n => n.Id, StringComparer.Ordinal).Select(n => NodeState.Of(n, byNode[n.Id]))];
        });
    }

    /// <summary>When.</summary>
    public DateTimeOffset Now { get; }

    /// <summary>The nodes by id.</summary>
    public IReadOnlyDictionary<string, Node> Nodes { get; }

    /// <summary>Every service.</summary>
    public IReadOnlyList<Service> Services { get; }

    /// <summary>Every task.</summary>
    public IReadOnlyList<SwarmTask> Tasks { get; }

    /// <summary>How many tasks each service wants and has, by service id.</summary>
    public IReadOnlyDictionary<string, ListServiceStatusesResponse.Types.ServiceStatus> Counts { get; }

    /// <summary>The nodes with what is used on them.</summary>
    public IReadOnlyList<NodeState> States => states.Value;

    /// <summary>Reads the cluster.</summary>
    public static WhySnapshot Of(IStoreView view, DateTimeOffset now)
    {
        List<Service> services = [.. view.List<Service>()];
        return new(
            now,
            [.. view.List<Node>()],
            services,
            [.. view.List<SwarmTask>()],
            services.ToDictionary(s => s.Id, s => ServiceCount.Of(view, s.Id), StringComparer.Ordinal));
    }

    /// <summary>A service, or null.</summary>
    public Service? Service(string id) => servicesById.GetValueOrDefault(id);

    /// <summary>All tasks of a service.</summary>
    public IEnumerable<SwarmTask> TasksOf(string serviceId) => tasksByService.Value[serviceId];

    /// <summary>The node of a task, or null.</summary>
    public Node? NodeOf(SwarmTask task) => Nodes.GetValueOrDefault(task.NodeId);

    /// <summary>The places of a service with all their tasks, oldest first.</summary>
    public Dictionary<SlotKey, Slot> SlotsOf(string serviceId) => Slot.Group(TasksOf(serviceId), KeyOf);

    /// <summary>The place of a task: slots are numbered but where a service has a task a node.</summary>
    public SlotKey KeyOf(SwarmTask task) => Service(task.ServiceId)?.Spec?.ModeCase switch
    {
        ServiceSpec.ModeOneofCase.Replicated or ServiceSpec.ModeOneofCase.ReplicatedJob => SlotKey.Numbered(task.Slot),
        null when task.Slot > 0 => SlotKey.Numbered(task.Slot),
        _ => SlotKey.OnNode(task.NodeId),
    };
}
