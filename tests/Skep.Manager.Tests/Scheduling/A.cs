using Docker.Swarmkit.V1;
using Skep.Api;
using Skep.Identity;

namespace Skep.Manager.Tests.Scheduling;

/// <summary>Makes the nodes, services and tasks that scheduling specifications speak of.</summary>
internal static class A
{
    public const long GiB = 1L << 30;

    public static Node Node(string id, long memoryBytes = 8 * GiB, long nanoCpus = 4_000_000_000) => new()
    {
        Id = id,
        Spec = new() { Annotations = new() { Name = id } },
        Status = new() { State = NodeStatus.Types.State.Ready, Addr = "10.1.2.3" },
        Description = new()
        {
            Hostname = "host-" + id,
            Platform = new() { Os = "linux", Architecture = "x86_64" },
            Resources = new() { NanoCpus = nanoCpus, MemoryBytes = memoryBytes },
            Engine = new()
            {
                EngineVersion = "20.10.24",
                Labels = { [SkepMark.EngineLabel] = "0.1.0" },
                Plugins = { NodeTraits.NewProcessRuntimePlugin() },
            },
        },
    };

    public static Node With(this Node node, Action<Node> change)
    {
        Node copy = node.Clone();
        change(copy);
        return copy;
    }

    public static SwarmTask Task(string id, string service = "web", string node = "", TaskState state = TaskState.Pending) => new()
    {
        Id = id,
        ServiceId = service,
        NodeId = node,
        Spec = new() { Container = new() { Image = "redis" } },
        SpecVersion = new() { Index = 1 },
        Status = new() { State = state },
        DesiredState = TaskState.Running,
    };

    public static SwarmTask With(this SwarmTask task, Action<SwarmTask> change)
    {
        SwarmTask copy = task.Clone();
        change(copy);
        return copy;
    }

    public static SwarmTask Reserving(this SwarmTask task, long memoryBytes = 0, long nanoCpus = 0, params (string Kind, long Count)[] generic) => task.With(t =>
    {
        t.Spec.Resources = new() { Reservations = new() { MemoryBytes = memoryBytes, NanoCpus = nanoCpus } };
        foreach ((string kind, long count) in generic)
        {
            t.Spec.Resources.Reservations.Generic.Add(new GenericResource { DiscreteResourceSpec = new() { Kind = kind, Value = count } });
        }
    });

    public static SwarmTask Constrained(this SwarmTask task, params string[] constraints) =>
        task.With(t => (t.Spec.Placement ??= new()).Constraints.Add(constraints));

    public static SwarmTask Publishing(this SwarmTask task, uint port, PortConfig.Types.PublishMode mode) => task.With(t =>
        (t.Endpoint ??= new()).Ports.Add(new PortConfig { PublishedPort = port, TargetPort = port, PublishMode = mode }));
}
