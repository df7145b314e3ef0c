namespace Skep.Supervisor.Cgroups;

/// <summary>What can be limited.</summary>
internal enum Controller
{
    Memory,
    Cpu,
    Pids,
}

/// <summary>
/// Where this machine keeps cgroups, read from /proc/self/mountinfo and /proc/self/cgroup: version 2, version 1,
/// or the hybrid that has controllers in version 1 and an empty version 2 beside them.
/// </summary>
/// <param name="Unified">Mount point of version 2, or null.</param>
/// <param name="Controllers">Folder of our own cgroup in each mounted version 1 hierarchy, by controller name.</param>
internal sealed record CgroupLayout(string? Unified, IReadOnlyDictionary<string, string> Controllers)
{
    /// <summary>The hierarchy a task's processes are counted and killed in: one where nobody else puts them.</summary>
    public string? Tracking =>
        Unified
        ?? (Controllers.TryGetValue("name=systemd", out var at)
            || Controllers.TryGetValue("pids", out at)
            || Controllers.TryGetValue("freezer", out at) ? at : null);

    /// <param name="mountInfo">Text of /proc/self/mountinfo.</param>
    /// <param name="ownCgroups">Text of /proc/self/cgroup.</param>
    public static CgroupLayout Parse(string mountInfo, string ownCgroups)
    {
        var own = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var line in ownCgroups.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            // 4:memory:/path
            var parts = line.Split(':', 3);
            if (parts.Length == 3)
            {
                foreach (var name in parts[1].Split(','))
                {
                    own[name] = parts[2];
                }
            }
        }
        string? unified = null;
        var controllers = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var line in mountInfo.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            // 35 31 0:32 / /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory
            var halves = line.Split(" - ", 2);
            var before = halves[0].Split(' ');
            var after = halves.Length == 2 ? halves[1].Split(' ') : [];
            if (before.Length < 5 || after.Length < 3)
            {
                continue;
            }
            var (root, at) = (Unescape(before[3]), Unescape(before[4]));
            if (after[0] == "cgroup2")
            {
                unified ??= at;
            }
            else if (after[0] == "cgroup")
            {
                foreach (var option in after[2].Split(','))
                {
                    if (own.TryGetValue(option, out var path))
                    {
                        controllers.TryAdd(option, Below(at, root, path));
                    }
                }
            }
        }
        return new CgroupLayout(unified, controllers);
    }

    /// <summary>
    /// Version 1: a task goes below the cgroup we are in, so that a limit laid on all of us holds for it too.
    /// A mount that shows only part of the hierarchy shows our own as its root or below it.
    /// </summary>
    private static string Below(string mountPoint, string mountRoot, string path)
    {
        if (mountRoot != "/")
        {
            path = path == mountRoot ? "/"
                : path.StartsWith(mountRoot + "/", StringComparison.Ordinal) ? path[mountRoot.Length..] : "/";
        }
        // "/.." is what a cgroup outside our cgroup namespace looks like.
        return path == "/" || path.StartsWith("/..", StringComparison.Ordinal) ? mountPoint : mountPoint + path;
    }

    /// <summary>mountinfo writes space, tab, newline and backslash as octal.</summary>
    private static string Unescape(string text) => text
        .Replace("\\040", " ", StringComparison.Ordinal)
        .Replace("\\011", "\t", StringComparison.Ordinal)
        .Replace("\\012", "\n", StringComparison.Ordinal)
        .Replace("\\134", "\\", StringComparison.Ordinal);
}
