using Docker.Swarmkit.V1;
using Skep.Api;

namespace Skep.Bench.Scheduler;

/// <summary>A cluster with tasks that wait.</summary>
/// <param name="Name">What it is called in the table.</param>
/// <param name="NodeCount">Nodes.</param>
/// <param name="TaskCount">Tasks.</param>
/// <param name="ServiceCount">Services the tasks belong to; 0 for tasks on their own, as SwarmKit's benchmark has them.</param>
/// <param name="NetworkPlugin">Whether each task needs a network plugin that every third node has, as in SwarmKit's benchmark.</param>
/// <param name="GoSeconds">What SwarmKit's Go scheduler took, recorded on a machine of this kind; null where it was not measured.</param>
internal sealed record Workload(string Name, int NodeCount, int TaskCount, int ServiceCount, bool NetworkPlugin, double? GoSeconds)
{
    public IEnumerable<Node> Nodes() => Enumerable.Range(0, NodeCount).Select(i =>
    {
        var node = new Node
        {
            Id = $"node{i:00000}",
            Meta = new() { Version = new() },
            Spec = new() { Annotations = new() { Name = $"name{i}" } },
            Status = new() { State = NodeStatus.Types.State.Ready },
            Description = new()
            {
                Resources = new() { NanoCpus = 1_000_000_000_000, MemoryBytes = 1L << 50 },
                Engine = new() { EngineVersion = "20.10.24", Plugins = { NodeTraits.NewProcessRuntimePlugin() } },
            },
        };
        if (i % 3 == 0)
        {
            node.Description.Engine.Plugins.Add(new PluginDescription { Type = "Network", Name = "network" });
        }
        return node;
    });

    public IEnumerable<SwarmTask> Tasks() => Enumerable.Range(0, TaskCount).Select(i =>
    {
        var task = new SwarmTask
        {
            Id = $"task{i:000000}",
            Meta = new() { Version = new(), CreatedAt = new() { Seconds = 1_700_000_000 } },
            DesiredState = TaskState.Running,
            ServiceAnnotations = new() { Name = $"task{i}" },
            Status = new() { State = TaskState.Pending },
            Spec = new() { Container = new() { Image = "redis:3.0.7" } },
        };
        if (ServiceCount > 0)
        {
            task.ServiceId = $"service{i % ServiceCount:00000}";
            task.Slot = (ulong)(i / ServiceCount) + 1;
            task.SpecVersion = new() { Index = 1 };
        }
        if (NetworkPlugin)
        {
            task.Networks.Add(new NetworkAttachment { Network = new() { DriverState = new() { Name = "network" } } });
        }
        return task;
    });
}
