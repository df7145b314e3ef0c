using Docker.Swarmkit.V1;
using Engine = Docker.DotNet.Models;
using Version = System.Version;

namespace Skep.Agent.Executors.Docker;

/// <summary>The part of a container that is about the host: limits, rights, mounts, network.</summary>
internal static class HostSettings
{
    public static Engine.HostConfig Of(SwarmTask task, IReadOnlyList<Engine.Mount> files, Version version)
    {
        var spec = task.Spec.Container;
        if (spec.Isolation != ContainerSpec.Types.Isolation.Default)
        {
            throw new TaskRejectedException("isolation: only Windows knows it");
        }

        if (task.Endpoint?.Ports.FirstOrDefault(p =>
            p.PublishMode == PortConfig.Types.PublishMode.Ingress && p.Protocol == PortConfig.Types.Protocol.Sctp) is { } sctp)
        {
            throw new TaskRejectedException($"port {sctp.PublishedPort}/sctp: in ingress mode this node carries TCP and UDP only; publish it in host mode");
        }

        var host = new Engine.HostConfig
        {
            GroupAdd = List(spec.Groups),
            PortBindings = ContainerPorts.Bindings(task)!,
            Mounts = [.. spec.Mounts.Select(m => MountSettings.Of(m, version)), .. files],
            ReadonlyRootfs = spec.ReadOnly,
            Init = spec.Init,
            Sysctls = spec.Sysctls.Count > 0 ? spec.Sysctls.ToDictionary(s => s.Key, s => s.Value) : null!,
            CapAdd = List(spec.CapabilityAdd),
            CapDrop = List(spec.CapabilityDrop),
            Ulimits = spec.Ulimits.Count > 0 ? [.. spec.Ulimits.Select(u => new Engine.Ulimit { Name = u.Name, Soft = u.Soft, Hard = u.Hard })] : null!,
            OomScoreAdj = spec.OomScoreAdj,
            DNS = List(spec.DnsConfig?.Nameservers),
            DNSSearch = List(spec.DnsConfig?.Search),
            DNSOptions = List(spec.DnsConfig?.Options),
            ExtraHosts = List([.. spec.Hosts.SelectMany(Hosts)]),
            SecurityOpt = List(SecurityOptions(spec.Privileges)),
            NetworkMode = TaskNetwork.Mode(task)!,
        };
        if ((task.LogDriver ?? task.Spec.LogDriver) is { } log)
        {
            host.LogConfig = new Engine.LogConfig { Type = log.Name, Config = log.Options.ToDictionary(o => o.Key, o => o.Value) };
        }

        Limit(host, task.Spec);
        return host;
    }

    private static void Limit(Engine.HostConfig host, TaskSpec spec)
    {
        if (spec.Container.PidsLimit != 0)
        {
            host.PidsLimit = spec.Container.PidsLimit;
        }

        var resources = spec.Resources;
        if (resources?.Limits is { } limits)
        {
            host.Memory = limits.MemoryBytes;
            host.NanoCPUs = limits.NanoCpus;
        }

        if (resources?.SwapBytes is { } swap)
        {
            if (host.Memory == 0)
            {
                throw new TaskRejectedException("swap: a limit of swap needs a limit of memory");
            }

            // The engine counts memory and swap together.
            host.MemorySwap = swap < 0 ? -1 : host.Memory + swap;
        }

        if (resources?.MemorySwappiness is { } swappiness && swappiness >= 0)
        {
            host.MemorySwappiness = swappiness;
        }
    }

    private static List<string> SecurityOptions(Privileges? privileges)
    {
        var options = new List<string>();
        if (privileges is null)
        {
            return options;
        }

        if (privileges.CredentialSpec is { SourceCase: not Privileges.Types.CredentialSpec.SourceOneofCase.None })
        {
            throw new TaskRejectedException("credential spec: only Windows knows it");
        }

        if (privileges.NoNewPrivileges)
        {
            options.Add("no-new-privileges");
        }

        if (privileges.SelinuxContext is { } selinux)
        {
            if (selinux.Disable)
            {
                options.Add("label=disable");
            }

            Add("label=user:", selinux.User);
            Add("label=role:", selinux.Role);
            Add("label=type:", selinux.Type);
            Add("label=level:", selinux.Level);
        }

        switch (privileges.Seccomp?.Mode)
        {
            case Privileges.Types.SeccompOpts.Types.SeccompMode.Unconfined:
                options.Add("seccomp=unconfined");
                break;
            case Privileges.Types.SeccompOpts.Types.SeccompMode.Custom:
                options.Add("seccomp=" + privileges.Seccomp.Profile.ToStringUtf8());
                break;
        }

        if (privileges.Apparmor?.Mode == Privileges.Types.AppArmorOpts.Types.AppArmorMode.Disabled)
        {
            options.Add("apparmor=unconfined");
        }

        return options;

        void Add(string prefix, string value)
        {
            if (value.Length > 0)
            {
                options.Add(prefix + value);
            }
        }
    }

    /// <summary>A line of a hosts file, address first, as the engine's name:address pairs.</summary>
    private static IEnumerable<string> Hosts(string line)
    {
        var parts = line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        return parts.Length > 1
            ? parts.Skip(1).Select(name => $"{name}:{parts[0]}")
            : throw new TaskRejectedException($"host \"{line}\": expected an address and names, as in a hosts file");
    }

    private static List<string> List(IEnumerable<string>? values) => values?.ToList() is { Count: > 0 } list ? list : null!;
}
