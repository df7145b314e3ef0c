namespace Skep.Manager.Scheduling;

/// <summary>What is looked at to tell whether a task can run on a node; SwarmKit's filters in its order, then Skep's.</summary>
[Flags]
internal enum FeasibilityFilters
{
    /// <summary>Nothing is in the way.</summary>
    None = 0,

    /// <summary>The node is READY and ACTIVE.</summary>
    Ready = 1 << 0,

    /// <summary>Reserved CPU, memory and generic resources are free.</summary>
    Resources = 1 << 1,

    /// <summary>The node has the volume, network and log plugins.</summary>
    Plugins = 1 << 2,

    /// <summary>The node meets the placement constraints.</summary>
    Constraints = 1 << 3,

    /// <summary>The node is of one of the platforms the image exists for.</summary>
    Platform = 1 << 4,

    /// <summary>The host-mode ports are free on the node.</summary>
    HostPorts = 1 << 5,

    /// <summary>The node has fewer active tasks of the service than the most it may have.</summary>
    MaxReplicas = 1 << 6,

    /// <summary>The node has a container engine, which tasks with an image need.</summary>
    Engine = 1 << 7,

    /// <summary>The node has the generic runtime the task is for.</summary>
    Runtime = 1 << 8,

    /// <summary>The node's agent is Skep's, which carries ingress ports.</summary>
    Ingress = 1 << 9,

    /// <summary>Every filter: may the task be placed here?</summary>
    All = (1 << 10) - 1,

    /// <summary>What a task that runs already must go on meeting: a paused node keeps its tasks.</summary>
    Staying = Resources | Constraints,

    /// <summary>What depends on the node alone and not on the tasks it has.</summary>
    NodeOnly = Ready | Plugins | Constraints | Platform | Engine | Runtime | Ingress,

    /// <summary>What changes with every task the node gets.</summary>
    Usage = Resources | HostPorts | MaxReplicas,
}
