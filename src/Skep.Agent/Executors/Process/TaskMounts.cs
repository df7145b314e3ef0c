using Docker.Swarmkit.V1;
using Skep.Supervisor.Protocol;
using BindOptions = Docker.Swarmkit.V1.Mount.Types.BindOptions;

namespace Skep.Agent.Executors.Process;

/// <summary>The mounts a process task may have, in its own view of the host's file systems.</summary>
internal static class TaskMounts
{
    private const uint DefaultTmpfsMode = 0x3FF; // 01777
    private const uint GoSticky = 1 << 20;

    /// <exception cref="TaskRejectedException">One cannot be had on the host.</exception>
    public static IReadOnlyList<TaskMount> Of(IEnumerable<Mount> mounts, ProcessExecutorOptions options) =>
        [.. mounts.Select(mount => Of(mount, options))];

    private static TaskMount Of(Mount mount, ProcessExecutorOptions options)
    {
        if (!mount.Target.StartsWith('/'))
        {
            throw ProcessRequest.Rejected("mounts", $"target '{mount.Target}' is not an absolute path");
        }
        return mount.Type switch
        {
            Mount.Types.Type.Bind => Bind(mount, options),
            Mount.Types.Type.Tmpfs => Tmpfs(mount),
            var other => throw ProcessRequest.Rejected("mounts", $"'{mount.Target}' is a {other} mount; a process task has bind and tmpfs mounts"),
        };
    }

    private static TaskMount Bind(Mount mount, ProcessExecutorOptions options)
    {
        if (!options.AllowRootTasks)
        {
            // Root does the mounting: a bind would show what the task's user could not walk to.
            throw ProcessRequest.NeedsRoot("mounts", $"a bind of {mount.Source}");
        }
        if (!mount.Source.StartsWith('/'))
        {
            throw ProcessRequest.Rejected("mounts", $"source '{mount.Source}' is not an absolute path");
        }
        var bind = mount.BindOptions ?? new BindOptions();
        if (bind.Propagation is not (BindOptions.Types.Propagation.Rprivate or BindOptions.Types.Propagation.Private
            or BindOptions.Types.Propagation.Rslave or BindOptions.Types.Propagation.Slave))
        {
            throw ProcessRequest.Rejected("mounts", $"'{mount.Target}': propagation {bind.Propagation} would change the host's mounts");
        }
        if (bind.Createmountpoint)
        {
            throw ProcessRequest.Rejected("mounts", $"'{mount.Target}': createmountpoint: the target must be there on the host");
        }
        if (bind.Readonlynonrecursive && mount.Readonly && !bind.Nonrecursive)
        {
            throw ProcessRequest.Rejected("mounts", $"'{mount.Target}': readonlynonrecursive: what is mounted below is made read-only too");
        }
        return new TaskMount(mount.Source, mount.Target, mount.Readonly, !bind.Nonrecursive, 0, 0);
    }

    private static TaskMount Tmpfs(Mount mount)
    {
        if (mount.Source.Length > 0)
        {
            throw ProcessRequest.Rejected("mounts", $"'{mount.Target}': a tmpfs has no source");
        }
        if (mount.TmpfsOptions is { Options.Length: > 0 } given)
        {
            throw ProcessRequest.Rejected("mounts", $"'{mount.Target}': tmpfs options '{given.Options}' cannot be passed on");
        }
        var mode = mount.TmpfsOptions?.Mode ?? 0;
        return new TaskMount("", mount.Target, mount.Readonly, false, Math.Max(0, mount.TmpfsOptions?.SizeBytes ?? 0),
            mode == 0 ? DefaultTmpfsMode : (mode & 0x1FF) | ((mode & GoSticky) != 0 || (mode & 0x200) != 0 ? 0x200u : 0));
    }
}
