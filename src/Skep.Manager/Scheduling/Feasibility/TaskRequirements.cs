using System.Text;
using Docker.Swarmkit.V1;

namespace Skep.Manager.Scheduling;

/// <summary>
/// What a task asks of a node, read once from the task. Tasks of one service and spec version ask the same, so one of these
/// serves them all.
/// </summary>
internal sealed class TaskRequirements
{
    private TaskRequirements(SwarmTask task)
    {
        TaskSpec spec = task.Spec ?? new();
        ServiceId = task.ServiceId;
        if (spec.Resources?.Reservations is { } reserved)
        {
            NanoCpus = Math.Max(0, reserved.NanoCpus);
            MemoryBytes = Math.Max(0, reserved.MemoryBytes);
            Generic = GenericAmounts.Asked(reserved.Generic);
        }
        if (spec.Placement is { } placement)
        {
            MaxReplicas = placement.MaxReplicas;
            Platforms = placement.Platforms;
            if (placement.Constraints.Count > 0)
            {
                if (Constraint.TryParse(placement.Constraints, out IReadOnlyList<Constraint>? constraints, out string? error))
                {
                    Constraints = constraints;
                }
                ConstraintError = error;
            }
            SpreadKeys = [.. placement.Preferences.Where(p => p.Spread is not null).Select(p => p.Spread.SpreadDescriptor)];
        }
        HostPorts = HostPort.Of(task);
        foreach (PortConfig port in HostPort.PublishedBy(task))
        {
            HasIngressPort |= port.PublishMode == PortConfig.Types.PublishMode.Ingress;
        }
        Plugins = PluginsOf(task, spec);
        NeedsEngine = spec.RuntimeCase == TaskSpec.RuntimeOneofCase.Container;
        RuntimeKind = spec.RuntimeCase == TaskSpec.RuntimeOneofCase.Generic ? spec.Generic.Kind : null;
        NodeOnlyKey = KeyOfNodeOnlyParts();
    }

    /// <summary>The service, whose tasks are spread; empty for a task without one.</summary>
    public string ServiceId { get; }

    /// <summary>Reserved CPU, 1e9 a core.</summary>
    public long NanoCpus { get; }

    /// <summary>Reserved memory.</summary>
    public long MemoryBytes { get; }

    /// <summary>Reserved pieces of generic resources by kind.</summary>
    public IReadOnlyList<KeyValuePair<string, long>> Generic { get; } = [];

    /// <summary>Placement constraints.</summary>
    public IReadOnlyList<Constraint> Constraints { get; } = [];

    /// <summary>Why the constraints cannot be read; no node meets such ones. The control API lets none through.</summary>
    public string? ConstraintError { get; }

    /// <summary>Platforms it runs on; empty for any.</summary>
    public IReadOnlyList<Platform> Platforms { get; } = [];

    /// <summary>The most active tasks of the service on one node; 0 for no bound.</summary>
    public ulong MaxReplicas { get; }

    /// <summary>Ports it takes on its host.</summary>
    public IReadOnlyList<HostPort> HostPorts { get; }

    /// <summary>Whether it publishes a port on every node.</summary>
    public bool HasIngressPort { get; }

    /// <summary>Plugins its node must have.</summary>
    public IReadOnlyList<RequiredPlugin> Plugins { get; }

    /// <summary>Whether it runs in a container.</summary>
    public bool NeedsEngine { get; }

    /// <summary>The generic runtime it is for, or null.</summary>
    public string? RuntimeKind { get; }

    /// <summary>Node properties to spread over, strongest first.</summary>
    public IReadOnlyList<string> SpreadKeys { get; } = [];

    /// <summary>Equal for requirements that ask the same of a node apart from what its other tasks use.</summary>
    public string NodeOnlyKey { get; }

    /// <summary>What a task asks.</summary>
    public static TaskRequirements Of(SwarmTask task) => new(task);

    /// <summary>What a service's task would ask, before there is one.</summary>
    public static TaskRequirements Of(Service service) => new(new SwarmTask
    {
        ServiceId = service.Id,
        Spec = service.Spec?.Task ?? new(),
        Endpoint = service.Endpoint ?? new Endpoint { Spec = service.Spec?.Endpoint ?? new() },
    });

    private static List<RequiredPlugin> PluginsOf(SwarmTask task, TaskSpec spec)
    {
        var plugins = new List<RequiredPlugin>();
        if (spec.RuntimeCase == TaskSpec.RuntimeOneofCase.Container)
        {
            foreach (Mount mount in spec.Container.Mounts)
            {
                if (mount.Type == Mount.Types.Type.Volume && mount.VolumeOptions?.DriverConfig?.Name is { Length: > 0 } driver && driver != "local")
                {
                    plugins.Add(new("Volume", driver));
                }
            }
        }
        foreach (NetworkAttachment attachment in task.Networks)
        {
            if (attachment.Network?.DriverState?.Name is { Length: > 0 } driver)
            {
                plugins.Add(new("Network", driver));
            }
        }
        if (spec.LogDriver?.Name is { Length: > 0 } log && log != "none")
        {
            plugins.Add(new("Log", log));
        }
        return plugins;
    }

    private string KeyOfNodeOnlyParts()
    {
        if (Constraints.Count == 0 && ConstraintError is null && Platforms.Count == 0 && Plugins.Count == 0 && RuntimeKind is null)
        {
            return (NeedsEngine, HasIngressPort) switch
            {
                (false, false) => "",
                (true, false) => "E",
                (false, true) => "I",
                (true, true) => "EI",
            };
        }
        var key = new StringBuilder(NeedsEngine ? "E" : "").Append(HasIngressPort ? "I" : "").Append('\n').Append(RuntimeKind);
        foreach (Constraint c in Constraints)
        {
            key.Append("\nC").Append(c.Key).Append(c.Equal ? "==" : "!=").Append(c.Value);
        }
        foreach (Platform p in Platforms)
        {
            key.Append("\nP").Append(p.Os).Append('/').Append(p.Architecture);
        }
        foreach (RequiredPlugin p in Plugins)
        {
            key.Append("\nG").Append(p.Type).Append('/').Append(p.Name);
        }
        return key.Append("\nX").Append(ConstraintError).ToString();
    }
}

/// <summary>A plugin a task's node must have.</summary>
/// <param name="Type">"Volume", "Network" or "Log".</param>
/// <param name="Name">The driver's name; ":latest" is understood where no tag is given.</param>
internal sealed record RequiredPlugin(string Type, string Name);
