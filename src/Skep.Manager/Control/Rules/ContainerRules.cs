using System.Net;
using Docker.Swarmkit.V1;
using Google.Protobuf.WellKnownTypes;
using Skep.Api;

namespace Skep.Manager.Control.Rules;

/// <summary>What a container spec must keep to. What only an engine can judge is left to the engine.</summary>
internal static class ContainerRules
{
    private const long MinDurationNanoseconds = 1_000_000;

    /// <summary>Checks a container spec.</summary>
    public static void Check(ContainerSpec container)
    {
        CheckImage(container.Image);
        CheckTemplate(container.Hostname, "hostname");
        foreach (string variable in container.Env)
        {
            CheckEnv(variable, "ContainerSpec");
            CheckTemplate(variable, "env");
        }
        MountRules.Check(container.Mounts);
        CheckHealth(container.Healthcheck);
        DurationRules.CheckNotNegative(container.StopGracePeriod, "ContainerSpec: stop grace period", "ContainerSpec: stop grace period cannot be negative");
        EnumRules.CheckKnown(container.Isolation, "ContainerSpec: isolation");
        foreach (string server in container.DnsConfig?.Nameservers ?? [])
        {
            if (!IPAddress.TryParse(server, out _))
            {
                throw Refusal.Invalid($"ContainerSpec: nameserver {Refusal.Quote(server)} is not an IP address");
            }
        }
        if (container.PidsLimit < -1)
        {
            throw Refusal.Invalid($"ContainerSpec: pids limit {container.PidsLimit} is not a number of processes, nor -1 for no limit");
        }
        foreach ((string key, string value) in container.Sysctls)
        {
            if (key.Length == 0 || key.Contains('=', StringComparison.Ordinal))
            {
                throw Refusal.Invalid($"ContainerSpec: sysctl {Refusal.Quote($"{key}={value}")} has no key such as net.core.somaxconn");
            }
        }
        foreach (string capability in container.CapabilityAdd.Concat(container.CapabilityDrop))
        {
            if (capability.Length == 0 || !capability.All(c => char.IsAsciiLetter(c) || c == '_'))
            {
                throw Refusal.Invalid($"ContainerSpec: {Refusal.Quote(capability)} is not a capability such as CAP_NET_ADMIN");
            }
        }
        CheckUlimits(container.Ulimits, "ContainerSpec");
        CheckOomScore(container.OomScoreAdj, "ContainerSpec");
    }

    /// <summary>Checks limits of a process.</summary>
    public static void CheckUlimits(IEnumerable<ContainerSpec.Types.Ulimit> ulimits, string where)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (ContainerSpec.Types.Ulimit limit in ulimits)
        {
            if (limit.Name.Length == 0 || !seen.Add(limit.Name))
            {
                throw Refusal.Invalid($"{where}: ulimit {Refusal.Quote(limit.Name)} is given twice or has no name");
            }
            if (limit.Soft < -1 || limit.Hard < -1)
            {
                throw Refusal.Invalid($"{where}: ulimit {limit.Name}={limit.Soft}:{limit.Hard} is below -1, which means no limit");
            }
            if (limit.Hard != -1 && (limit.Soft > limit.Hard || limit.Soft == -1))
            {
                throw Refusal.Invalid($"{where}: ulimit soft limit must be less than or equal to hard limit: {limit.Name}={limit.Soft}:{limit.Hard}");
            }
        }
    }

    /// <summary>Checks a process's standing with the kernel's out-of-memory killer.</summary>
    public static void CheckOomScore(long value, string where)
    {
        if (value is < -1000 or > 1000)
        {
            throw Refusal.Invalid($"{where}: oom_score_adj {value} is not between -1000 and 1000");
        }
    }

    /// <summary>Checks one NAME=VALUE; a name alone is allowed and means the variable is not set.</summary>
    public static void CheckEnv(string variable, string where)
    {
        if (variable.Length == 0 || variable[0] == '=' || variable.Contains('\0', StringComparison.Ordinal))
        {
            throw Refusal.Invalid($"{where}: environment variable {Refusal.Quote(variable)} is not NAME=VALUE");
        }
    }

    /// <summary>Refuses a template that does not end; what is in it the agent expands.</summary>
    public static void CheckTemplate(string text, string field)
    {
        for (int at = 0; (at = text.IndexOf("{{", at, StringComparison.Ordinal)) >= 0;)
        {
            int end = text.IndexOf("}}", at + 2, StringComparison.Ordinal);
            if (end < 0)
            {
                throw Refusal.Invalid($"expanding {field} failed: template {Refusal.Quote(text)} has {{{{ without }}}}");
            }
            at = end + 2;
        }
    }

    private static void CheckImage(string image)
    {
        if (image.Length == 0)
        {
            throw Refusal.Invalid("ContainerSpec: image reference must be provided");
        }
        if (!ImageReference.TryParse(image, out _))
        {
            throw Refusal.Invalid($"ContainerSpec: {Refusal.Quote(image)} is not a valid repository/tag");
        }
    }

    private static void CheckHealth(HealthConfig? health)
    {
        if (health is null)
        {
            return;
        }
        CheckHealth(health.Interval, "Interval");
        CheckHealth(health.Timeout, "Timeout");
        CheckHealth(health.StartPeriod, "StartPeriod");
        CheckHealth(health.StartInterval, "StartInterval");
        if (health.Retries < 0)
        {
            throw Refusal.Invalid("ContainerSpec: Retries in HealthConfig cannot be negative");
        }
        if (health.Test.Count > 0 && health.Test[0] is not ("" or "NONE" or "CMD" or "CMD-SHELL"))
        {
            throw Refusal.Invalid($"ContainerSpec: Test in HealthConfig starts with {Refusal.Quote(health.Test[0])}, not with NONE, CMD or CMD-SHELL");
        }
    }

    private static void CheckHealth(Duration? duration, string field)
    {
        if (DurationRules.Nanoseconds(duration, $"ContainerSpec: {field} in HealthConfig") is { } value and not 0 && value < MinDurationNanoseconds)
        {
            throw Refusal.Invalid($"ContainerSpec: {field} in HealthConfig cannot be less than 1ms");
        }
    }
}
