using Docker.Swarmkit.V1;
using Google.Protobuf;
using Skep.Supervisor.Protocol;
using Skep.V1;

namespace Skep.Agent.Executors.Process;

/// <summary>
/// Makes of a task what the supervisor starts. Every field is either honoured or the task is REJECTED with its name:
/// nothing a user asked for is left out in silence.
/// </summary>
internal static class ProcessRequest
{
    public const string TypeUrl = "type.skep.io/skep.v1.ProcessSpec";

    private const string DefaultPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    private const long DefaultGraceMs = 10_000;
    private const long LongestGraceMs = 7L * 24 * 3600 * 1000;

    /// <exception cref="TaskRejectedException">It asks for what cannot be given here.</exception>
    public static StartRequest Make(
        SwarmTask task, ITaskDependencies dependencies, ProcessExecutorOptions options, HostUsers users)
    {
        var spec = Unpack(task);
        CheckTask(task);
        var user = users.Resolve(spec.User, spec.Groups);
        if (user.IsRoot && !options.AllowRootTasks)
        {
            throw NeedsRoot("user", "root, or a member of its group");
        }
        return new StartRequest
        {
            TaskId = task.Id,
            Argv = Argv(spec),
            Env = Env(task, spec, user),
            Directory = spec.Dir.Length == 0 ? "/"
                : spec.Dir.StartsWith('/') ? spec.Dir
                : throw Rejected("dir", $"'{spec.Dir}' is not an absolute path"),
            Uid = user.Uid,
            Gid = user.Gid,
            Groups = user.Groups,
            Capabilities = CapabilitiesOf(spec, user, options),
            StopSignal = spec.StopSignal.Length == 0 ? 15
                : Signals.Parse(spec.StopSignal)
                    ?? throw Rejected("stop_signal", $"'{spec.StopSignal}' is no signal; expected a name such as SIGTERM, or 1 to 64"),
            StopGraceMs = GraceMs(spec),
            ResourceLimits = Ulimits.Of(spec.Ulimits),
            ReadOnlyRoot = spec.ReadOnly,
            Hostname = spec.Hostname.Length <= 64 ? spec.Hostname
                : throw Rejected("hostname", "longer than the 64 bytes Linux takes"),
            OomScoreAdj = OomScore(spec, options),
            Mounts = TaskMounts.Of(spec.Mounts, options),
            Files = TaskFiles.Of(spec, dependencies),
            MemoryBytes = NotBelowZero(task.Spec.Resources?.Limits?.MemoryBytes ?? 0, "resources.limits.memory_bytes"),
            NanoCpus = NotBelowZero(task.Spec.Resources?.Limits?.NanoCpus ?? 0, "resources.limits.nano_cpus"),
            Pids = NotBelowZero(spec.PidsLimit, "pids_limit"),
            LogMaxBytes = options.LogMaxBytes,
        };
    }

    /// <summary>The ports a task has on this machine in host mode: it listens on them itself.</summary>
    public static IReadOnlyList<PortConfig> HostPorts(SwarmTask task)
    {
        var ports = new List<PortConfig>();
        foreach (var port in task.Endpoint?.Ports ?? [])
        {
            if (port.PublishMode == PortConfig.Types.PublishMode.Host)
            {
                var here = port.Clone();
                here.PublishedPort = port.TargetPort;
                ports.Add(here);
            }
        }
        return ports;
    }

    public static TaskRejectedException Rejected(string field, string why) => new($"{field}: {why}");

    public static TaskRejectedException NeedsRoot(string field, string what) =>
        new($"{field}: {what} is not allowed on this node: start its swarmd with --allow-root-tasks");

    private static ProcessSpec Unpack(SwarmTask task)
    {
        var payload = task.Spec?.Generic?.Payload
            ?? throw Rejected("generic.payload", $"missing; expected {TypeUrl}");
        if (payload.TypeUrl != TypeUrl)
        {
            throw Rejected("generic.payload", $"is a '{payload.TypeUrl}'; expected {TypeUrl}");
        }
        try
        {
            var spec = ProcessSpec.Parser.ParseFrom(payload.Value);
            // What a later version added would be dropped in silence: its bytes show in the size.
            var known = ProcessSpec.Parser.WithDiscardUnknownFields(true).ParseFrom(payload.Value);
            return known.CalculateSize() == spec.CalculateSize()
                ? spec
                : throw Rejected("generic.payload", "has fields this node's version does not know: upgrade the node");
        }
        catch (InvalidProtocolBufferException e)
        {
            throw new TaskRejectedException($"generic.payload: cannot be read: {e.Message}", e);
        }
    }

    private static void CheckTask(SwarmTask task)
    {
        if (task.Spec.Networks.Count > 0)
        {
            throw Rejected("networks", "a process task is on the host's own network and can be on no other");
        }
        if ((task.LogDriver ?? task.Spec.LogDriver) is { Name.Length: > 0 } driver)
        {
            throw Rejected("log_driver", $"'{driver.Name}': the log of a process task is kept by the node itself, and by no driver");
        }
        if (task.Spec.Resources?.SwapBytes is not null)
        {
            throw Rejected("resources.swap_bytes", "cannot be set for a process task");
        }
        if (task.Spec.Resources?.MemorySwappiness is not null)
        {
            throw Rejected("resources.memory_swappiness", "cannot be set for a process task");
        }
        foreach (var port in task.Endpoint?.Ports ?? [])
        {
            if (port.PublishMode == PortConfig.Types.PublishMode.Host
                && port.PublishedPort != 0 && port.PublishedPort != port.TargetPort)
            {
                throw Rejected("ports",
                    $"{port.PublishedPort} in host mode cannot lead to {port.TargetPort}: a process task listens on the host itself; "
                    + "publish the port it listens on, or use ingress mode");
            }
        }
    }

    private static string[] Argv(ProcessSpec spec)
    {
        string[] argv = [.. spec.Command, .. spec.Args];
        return argv is ["", ..] or [] ? throw Rejected("command", "is empty") : argv;
    }

    private static List<string> Env(SwarmTask task, ProcessSpec spec, TaskUser user)
    {
        var env = new List<string>();
        void Default(string variable)
        {
            var name = variable[..(variable.IndexOf('=', StringComparison.Ordinal) + 1)];
            if (!spec.Env.Any(given => given.StartsWith(name, StringComparison.Ordinal)))
            {
                env.Add(variable);
            }
        }
        foreach (var variable in spec.Env)
        {
            if (variable.IndexOf('=', StringComparison.Ordinal) <= 0)
            {
                throw Rejected("env", $"'{variable}' is not NAME=VALUE");
            }
        }
        Default(DefaultPath);
        Default("HOME=" + user.Home);
        // As an engine tells a container which of the node's resources it has.
        foreach (var kind in task.AssignedGenericResources.GroupBy(r => r.NamedResourceSpec?.Kind ?? r.DiscreteResourceSpec?.Kind ?? ""))
        {
            Default($"DOCKER_RESOURCE_{kind.Key.ToUpperInvariant()}="
                + string.Join(',', kind.Select(r => r.NamedResourceSpec?.Value ?? r.DiscreteResourceSpec?.Value.ToString() ?? "")));
        }
        env.AddRange(spec.Env);
        return env;
    }

    private static ulong CapabilitiesOf(ProcessSpec spec, TaskUser user, ProcessExecutorOptions options)
    {
        if (spec.CapabilityAdd.Count > 0 && !options.AllowRootTasks)
        {
            throw NeedsRoot("capability_add", string.Join(", ", spec.CapabilityAdd));
        }
        ulong Bits(IEnumerable<string> names, string field) => names.Aggregate(0UL, (set, name) =>
            Capabilities.Parse(name) is var bits and not 0
                ? set | bits
                : throw Rejected(field, $"'{name}' is no capability; expected a name such as CAP_NET_BIND_SERVICE"));
        var (add, drop) = (Bits(spec.CapabilityAdd, "capability_add"), Bits(spec.CapabilityDrop, "capability_drop"));
        // ALL gives way to what is named: "drop ALL, add one" is one, "add ALL, drop one" is all but one.
        return add == Capabilities.All && drop != Capabilities.All
            ? add & ~drop
            : ((user.Uid == 0 ? Capabilities.OfRoot : 0) & ~drop) | add;
    }

    private static long GraceMs(ProcessSpec spec)
    {
        if (spec.StopGracePeriod is not { } grace)
        {
            return DefaultGraceMs;
        }
        var ms = (grace.Seconds * 1000.0) + (grace.Nanos / 1e6);
        return ms is >= 0 and <= LongestGraceMs ? (long)ms : throw Rejected("stop_grace_period", "expected 0 s to 7 days");
    }

    private static int OomScore(ProcessSpec spec, ProcessExecutorOptions options) => spec.OomScoreAdj switch
    {
        < -1000 or > 1000 => throw Rejected("oom_score_adj", $"{spec.OomScoreAdj} is not within -1000 to 1000"),
        < 0 when !options.AllowRootTasks => throw NeedsRoot("oom_score_adj", "a score below 0"),
        var score => (int)score,
    };

    private static long NotBelowZero(long value, string field) =>
        value >= 0 ? value : throw Rejected(field, $"{value} is below 0");
}
