using Docker.Swarmkit.V1;

namespace Skep.Manager.Control.Rules;

/// <summary>Mounts: each on a place of its own, absolute.</summary>
internal static class MountRules
{
    /// <summary>Checks the mounts of one task.</summary>
    public static void Check(IReadOnlyCollection<Mount> mounts)
    {
        var targets = new HashSet<string>(StringComparer.Ordinal);
        foreach (Mount mount in mounts)
        {
            EnumRules.CheckKnown(mount.Type, "ContainerSpec: mount type");
            EnumRules.CheckKnown(mount.Consistency, "ContainerSpec: mount consistency");
            if (!targets.Add(mount.Target))
            {
                throw Refusal.Invalid($"ContainerSpec: duplicate mount point: {mount.Target}");
            }
            ContainerRules.CheckTemplate(mount.Source, "mount source");
            ContainerRules.CheckTemplate(mount.Target, "mount target");
            if (mount.Type != Mount.Types.Type.Npipe && !IsAbsolute(mount.Target))
            {
                throw Refusal.Invalid($"ContainerSpec: invalid mount target, must be an absolute path: {Refusal.Quote(mount.Target)}");
            }
            CheckSource(mount);
        }
    }

    private static void CheckSource(Mount mount)
    {
        switch (mount.Type)
        {
            case Mount.Types.Type.Bind when !IsAbsolute(mount.Source):
                throw Refusal.Invalid($"ContainerSpec: invalid bind mount source, must be an absolute path: {Refusal.Quote(mount.Source)}");
            case Mount.Types.Type.Tmpfs when mount.Source.Length > 0:
                throw Refusal.Invalid($"ContainerSpec: invalid tmpfs source, source must be empty: {Refusal.Quote(mount.Source)}");
            case Mount.Types.Type.Tmpfs when mount.TmpfsOptions?.SizeBytes < 0:
                throw Refusal.Invalid($"ContainerSpec: tmpfs size {mount.TmpfsOptions.SizeBytes} of {mount.Target} is negative");
            case Mount.Types.Type.Cluster:
                throw Refusal.Unimplemented($"ContainerSpec: mount {mount.Target} is a cluster volume, and cluster (CSI) volumes are not supported; mount a volume of a driver, or a directory of the node's");
        }
    }

    private static bool IsAbsolute(string path) =>
        path.StartsWith('/')
        || path.StartsWith("{{", StringComparison.Ordinal)
        || (path.Length > 2 && char.IsAsciiLetter(path[0]) && path[1] == ':' && path[2] is '\\' or '/');
}
