using Docker.Swarmkit.V1;
using Engine = Docker.DotNet.Models;
using Version = System.Version;

namespace Skep.Agent.Executors.Docker;

/// <summary>A mount as the engine wants it.</summary>
internal static class MountSettings
{
    private static readonly Version CreateMountpointSince = new(1, 42);
    private static readonly Version NonRecursiveSince = new(1, 40);
    private static readonly Version ReadOnlyRecursionSince = new(1, 44);
    private static readonly Version SubpathSince = new(1, 45);
    private static readonly Version TmpfsOptionsSince = new(1, 46);

    public static Engine.Mount Of(Mount mount, Version version)
    {
        var what = $"mount {mount.Target}";
        if (!mount.Target.StartsWith('/'))
        {
            throw new TaskRejectedException($"mount \"{mount.Target}\": the target must be an absolute path");
        }

        var translated = new Engine.Mount
        {
            Source = mount.Source.Length > 0 ? mount.Source : null,
            Target = mount.Target,
            ReadOnly = mount.Readonly,
            Consistency = mount.Consistency == Mount.Types.Consistency.Default
                ? null
                : mount.Consistency.ToString().ToLowerInvariant(),
        };
        switch (mount.Type)
        {
            case Mount.Types.Type.Bind:
                translated.Type = "bind";
                translated.BindOptions = Bind(mount.BindOptions, what, version);
                break;
            case Mount.Types.Type.Volume:
                translated.Type = "volume";
                translated.VolumeOptions = Volume(mount.VolumeOptions, what, version);
                break;
            case Mount.Types.Type.Tmpfs:
                translated.Type = "tmpfs";
                translated.TmpfsOptions = Tmpfs(mount.TmpfsOptions, what, version);
                break;
            case Mount.Types.Type.Npipe:
                throw new TaskRejectedException($"{what}: named pipes are Windows' own");
            case Mount.Types.Type.Cluster:
                throw new TaskRejectedException($"{what}: this node has no CSI plugins for cluster volumes");
            default:
                throw new TaskRejectedException($"{what}: type {(int)mount.Type} is not known");
        }

        return translated;
    }

    private static Engine.BindOptions? Bind(Mount.Types.BindOptions? options, string what, Version version)
    {
        if (options is null)
        {
            return null;
        }

        Need(options.Nonrecursive, NonRecursiveSince, version, what, "nonrecursive");
        Need(options.Createmountpoint, CreateMountpointSince, version, what, "create mountpoint");
        Need(options.Readonlynonrecursive, ReadOnlyRecursionSince, version, what, "read-only nonrecursive");
        Need(options.Readonlyforcerecursive, ReadOnlyRecursionSince, version, what, "read-only force recursive");
        return new Engine.BindOptions
        {
            Propagation = options.Propagation.ToString().ToLowerInvariant(),
            NonRecursive = options.Nonrecursive ? true : null,
            CreateMountpoint = options.Createmountpoint ? true : null,
            ReadOnlyNonRecursive = options.Readonlynonrecursive ? true : null,
            ReadOnlyForceRecursive = options.Readonlyforcerecursive ? true : null,
        };
    }

    private static Engine.VolumeOptions? Volume(Mount.Types.VolumeOptions? options, string what, Version version)
    {
        if (options is null)
        {
            return null;
        }

        Need(options.Subpath.Length > 0, SubpathSince, version, what, "subpath");
        return new Engine.VolumeOptions
        {
            NoCopy = options.Nocopy,
            Labels = options.Labels.ToDictionary(l => l.Key, l => l.Value),
            Subpath = options.Subpath.Length > 0 ? options.Subpath : null,
            DriverConfig = options.DriverConfig is { } driver
                ? new Engine.Driver { Name = driver.Name, Options = driver.Options.ToDictionary(o => o.Key, o => o.Value) }
                : null,
        };
    }

    private static Engine.TmpfsOptions? Tmpfs(Mount.Types.TmpfsOptions? options, string what, Version version)
    {
        if (options is null)
        {
            return null;
        }

        Need(options.Options.Length > 0, TmpfsOptionsSince, version, what, "tmpfs options");
        return new Engine.TmpfsOptions
        {
            SizeBytes = options.SizeBytes,
            Mode = options.Mode,
            Options = options.Options.Length > 0
                ? [.. options.Options.Split(',').Select(o => (IList<string>)[.. o.Split('=', 2)])]
                : null,
        };
    }

    private static void Need(bool wanted, Version since, Version version, string what, string field)
    {
        if (wanted && version < since)
        {
            throw new TaskRejectedException($"{what}: {field}: the engine's API {version} does not know it, {since} does");
        }
    }
}
