using Docker.Swarmkit.V1;
using Skep.Api;

namespace Skep.Manager.Control.Rules;

/// <summary>What a service spec must keep to on its own, before the cluster's other objects are looked at.</summary>
internal static class ServiceRules
{
    /// <summary>The most tasks a service may ask for; far above what a cluster holds, and below what would drown it.</summary>
    public const ulong MaxReplicas = 1_000_000;

    private const uint MaxPort = 65_535;

    /// <summary>Checks a whole spec.</summary>
    public static void Check(ServiceSpec? spec)
    {
        if (spec is null)
        {
            throw Refusal.Invalid();
        }
        Names.CheckDnsName(spec.Annotations);
        TaskRules.Check(spec.Task);
        CheckMode(spec);
        if (IsJob(spec))
        {
            if (spec.Update is not null)
            {
                throw Refusal.Invalid("Jobs may not have an update config");
            }
        }
        else
        {
            CheckUpdate(spec.Update, "update");
            CheckUpdate(spec.Rollback, "rollback");
        }
        CheckEndpoint(spec.Endpoint);
        if (spec.Task.Generic?.Kind == NodeTraits.ProcessRuntime)
        {
            CheckHostPorts(spec.Endpoint);
        }
    }

    /// <summary>Whether the service's tasks are to end.</summary>
    public static bool IsJob(ServiceSpec spec) =>
        spec.ModeCase is ServiceSpec.ModeOneofCase.ReplicatedJob or ServiceSpec.ModeOneofCase.GlobalJob;

    private static void CheckMode(ServiceSpec spec)
    {
        switch (spec.ModeCase)
        {
            case ServiceSpec.ModeOneofCase.Replicated:
                CheckCount(spec.Replicated.Replicas, "Number of replicas must be non-negative", "Number of replicas");
                break;
            case ServiceSpec.ModeOneofCase.Global or ServiceSpec.ModeOneofCase.GlobalJob:
                break;
            case ServiceSpec.ModeOneofCase.ReplicatedJob:
                CheckCount(spec.ReplicatedJob.MaxConcurrent, "Maximum concurrent jobs must not be negative", "Maximum concurrent jobs");
                CheckCount(spec.ReplicatedJob.TotalCompletions, "Total completed jobs must not be negative", "Total completed jobs");
                break;
            default:
                throw Refusal.Invalid("Unrecognized service mode");
        }
    }

    // Clients written in languages with signed numbers send -1 as the greatest unsigned one.
    private static void CheckCount(ulong count, string negative, string what)
    {
        if (count > long.MaxValue)
        {
            throw Refusal.Invalid(negative);
        }
        if (count > MaxReplicas)
        {
            throw Refusal.Invalid($"{what} must be at most {MaxReplicas}, not {count}");
        }
    }

    private static void CheckUpdate(UpdateConfig? config, string word)
    {
        if (config is null)
        {
            return;
        }
        DurationRules.CheckNotNegative(config.Delay, $"TaskSpec: {word}-delay", $"TaskSpec: {word}-delay cannot be negative");
        DurationRules.CheckNotNegative(config.Monitor, $"TaskSpec: {word}-monitor", $"TaskSpec: {word}-monitor cannot be negative");
        if (config.MaxFailureRatio is not (>= 0 and <= 1))
        {
            throw Refusal.Invalid($"TaskSpec: {word}-maxfailureratio cannot be less than 0 or bigger than 1");
        }
        EnumRules.CheckKnown(config.FailureAction, $"TaskSpec: {word} failure action");
        EnumRules.CheckKnown(config.Order, $"TaskSpec: {word} order");
    }

    private static void CheckEndpoint(EndpointSpec? endpoint)
    {
        if (endpoint is null)
        {
            return;
        }
        EnumRules.CheckKnown(endpoint.Mode, "EndpointSpec: mode");
        var published = new HashSet<(uint, PortConfig.Types.Protocol)>();
        foreach (PortConfig port in endpoint.Ports)
        {
            EnumRules.CheckKnown(port.Protocol, "EndpointSpec: protocol");
            EnumRules.CheckKnown(port.PublishMode, "EndpointSpec: publish mode");
            if (port.TargetPort is 0 or > MaxPort || port.PublishedPort > MaxPort)
            {
                throw Refusal.Invalid($"EndpointSpec: port {port.PublishedPort}:{port.TargetPort} is out of range: a target port is 1 to 65535, a published one 0 to 65535");
            }
            if (endpoint.Mode == EndpointSpec.Types.ResolutionMode.Dnsrr && port.PublishMode == PortConfig.Types.PublishMode.Ingress)
            {
                throw Refusal.Invalid("EndpointSpec: port published with ingress mode can't be used with dnsrr mode");
            }
            if (port.PublishedPort != 0 && !published.Add((port.PublishedPort, port.Protocol)))
            {
                throw Refusal.Invalid("EndpointSpec: duplicate published ports provided");
            }
        }
    }

    // Every node would reject the task: nothing stands between a process and the host's ports.
    private static void CheckHostPorts(EndpointSpec? endpoint)
    {
        PortConfig? led = endpoint?.Ports.FirstOrDefault(p =>
            p.PublishMode == PortConfig.Types.PublishMode.Host && p.PublishedPort != 0 && p.PublishedPort != p.TargetPort);
        if (led is not null)
        {
            throw Refusal.Invalid(
                $"EndpointSpec: port {led.PublishedPort} in host mode cannot lead to {led.TargetPort}: a process listens on the host itself; "
                + "publish the port it listens on, or use ingress mode");
        }
    }
}
