using Skep.Supervisor.Native;

namespace Skep.Supervisor.Cgroups;

/// <summary>
/// This node's part of the machine's cgroups: `skep-HASH` in each hierarchy used, in it one cgroup a task and one
/// for the supervisor. In version 2 that is at the root of what we see, where the Engine puts its own: below our
/// own cgroup no controller could be turned on, and a service manager that stops the agent would stop tasks too.
/// </summary>
internal sealed class CgroupTree
{
    private readonly string? _tracking;
    private readonly Dictionary<Controller, string> _limits = [];

    private CgroupTree(string? tracking, string text)
    {
        _tracking = tracking;
        Text = text;
    }

    /// <summary>Which cgroups are used, in words.</summary>
    public string Text { get; private set; }

    /// <summary>Whether processes can be put into cgroups at all.</summary>
    public bool Tracks => _tracking is not null;

    public bool CanLimit(Controller controller) => _limits.ContainsKey(controller);

    /// <summary>Makes this node's folders where they can be made.</summary>
    public static CgroupTree Open(CgroupLayout layout, string name)
    {
        if (layout.Tracking is not { } root)
        {
            return new CgroupTree(null, "no cgroups are mounted: no limits");
        }
        var tracking = root + "/" + name;
        if (!CgroupFiles.Make(tracking, out var error))
        {
            return new CgroupTree(null, $"{tracking} cannot be made ({error}): no limits");
        }
        var version2 = layout.Unified is not null;
        var tree = new CgroupTree(tracking, $"{(version2 ? "version 2" : "version 1")} at {tracking}");
        foreach (var controller in (Controller[])[Controller.Memory, Controller.Cpu, Controller.Pids])
        {
            var word = controller.ToString().ToLowerInvariant();
            if (layout.Controllers.TryGetValue(word, out var parent))
            {
                if (CgroupFiles.Make(parent + "/" + name, out _))
                {
                    tree._limits[controller] = parent + "/" + name;
                }
            }
            else if (version2 && CgroupFiles.Enable(root, word) && CgroupFiles.Enable(tracking, word))
            {
                tree._limits[controller] = tracking;
            }
        }
        tree.Text += tree._limits.Count == 0 ? "; nothing can be limited" : "; limits: " + string.Join(", ", tree._limits.Keys);
        return tree;
    }

    /// <summary>Puts the calling process in the supervisor's own cgroup.</summary>
    public void JoinSupervisor()
    {
        if (_tracking is not null && CgroupFiles.Make(_tracking + "/supervisor", out _))
        {
            CgroupFiles.Write(_tracking + "/supervisor/cgroup.procs", "0");
        }
    }

    /// <summary>Leaves the supervisor's cgroup and removes what is empty of ours.</summary>
    public void Leave()
    {
        if (_tracking is null)
        {
            return;
        }
        CgroupFiles.Write(Path.GetDirectoryName(_tracking) + "/cgroup.procs", "0");
        _ = Libc.RmDir(_tracking + "/supervisor");
        _ = Libc.RmDir(_tracking);
        foreach (var folder in _limits.Values)
        {
            _ = Libc.RmDir(folder);
        }
    }

    /// <summary>Folders of a task's cgroups, the one it is tracked in first. Only what is limited is joined.</summary>
    public IReadOnlyList<string> FoldersOf(string taskId, bool memory, bool cpu, bool pids)
    {
        if (_tracking is null)
        {
            return [];
        }
        var folders = new List<string> { _tracking + "/task-" + taskId };
        foreach (var (controller, wanted) in ((Controller, bool)[])
            [(Controller.Memory, memory), (Controller.Cpu, cpu), (Controller.Pids, pids)])
        {
            if (wanted && _limits.TryGetValue(controller, out var parent)
                && parent + "/task-" + taskId is var folder && !folders.Contains(folder))
            {
                folders.Add(folder);
            }
        }
        return folders;
    }

    /// <summary>Folder a controller's files of a task are in.</summary>
    public string FolderOf(Controller controller, string taskId) => _limits[controller] + "/task-" + taskId;
}
