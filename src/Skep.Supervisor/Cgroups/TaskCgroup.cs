using System.Globalization;
using Skep.Supervisor.Native;
using Skep.Supervisor.Protocol;

namespace Skep.Supervisor.Cgroups;

/// <summary>
/// A task's cgroups: what is in them is the task, whoever its parent is by now. Where there are none, the task is
/// every process of the session its main process leads, and every one of its user, where that is its alone.
/// </summary>
/// <param name="folders">The one it is tracked in first; none where cgroups cannot be had.</param>
/// <param name="ownUid">The user that is the task's alone, or <see cref="StartRequest.TaskOwnId"/>.</param>
internal sealed class TaskCgroup(IReadOnlyList<string> folders, uint ownUid)
{
    private const long CpuPeriodUs = 100_000;

    public IReadOnlyList<string> Folders => folders;

    /// <summary>What a request asks for and this machine cannot give, or null.</summary>
    public static string? Unsupported(CgroupTree tree, StartRequest request) =>
        request.MemoryBytes > 0 && !tree.CanLimit(Controller.Memory) ? $"memory limit: {tree.Text}"
        : request.NanoCpus > 0 && !tree.CanLimit(Controller.Cpu) ? $"cpu limit: {tree.Text}"
        : request.Pids > 0 && !tree.CanLimit(Controller.Pids) ? $"pids limit: {tree.Text}"
        : null;

    /// <summary>Makes a task's cgroups with their limits. Returns what went wrong, or null.</summary>
    public static string? Make(CgroupTree tree, StartRequest request, uint ownUid, out TaskCgroup cgroup)
    {
        cgroup = new TaskCgroup(tree.FoldersOf(
            request.TaskId, request.MemoryBytes > 0, request.NanoCpus > 0, request.Pids > 0), ownUid);
        foreach (var folder in cgroup.Folders)
        {
            if (!CgroupFiles.Make(folder, out var error))
            {
                return $"cannot make cgroup {folder}: {error}";
            }
        }
        return (request.MemoryBytes > 0 ? LimitMemory(tree, request) : null)
            ?? (request.NanoCpus > 0 ? LimitCpu(tree, request) : null)
            ?? (request.Pids > 0
                ? Set(tree.FolderOf(Controller.Pids, request.TaskId), "pids.max", Text(request.Pids)) : null);
    }

    /// <summary>Whether the kernel killed in here for want of memory. To be asked before <see cref="TryRemove"/>.</summary>
    public bool KilledForMemory()
    {
        foreach (var folder in folders)
        {
            if (CgroupFiles.Field(CgroupFiles.Read(folder + "/memory.events"), "oom_kill") > 0
                || CgroupFiles.Field(CgroupFiles.Read(folder + "/memory.oom_control"), "oom_kill") > 0)
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>Kills all that is left of the task. What forks meanwhile is caught by the next call.</summary>
    public void KillAll(int mainPid)
    {
        if (folders.Count == 0)
        {
            ProcessTable.KillAll(mainPid, ownUid);
            return;
        }
        // Since Linux 5.14, version 2: all at once, with what forks meanwhile.
        if (CgroupFiles.Write(folders[0] + "/cgroup.kill", "1") == 0)
        {
            return;
        }
        KillListed(folders[0]);
    }

    /// <summary>Removes the cgroups; false while there is still something in them.</summary>
    public bool TryRemove(int mainPid)
    {
        if (folders.Count == 0)
        {
            return !ProcessTable.AnyLives(mainPid, ownUid);
        }
        var gone = true;
        foreach (var folder in folders)
        {
            gone &= RemoveTree(folder);
        }
        return gone;
    }

    private static void KillListed(string folder)
    {
        foreach (var line in CgroupFiles.Read(folder + "/cgroup.procs").Split('\n'))
        {
            if (int.TryParse(line, NumberStyles.None, CultureInfo.InvariantCulture, out var pid) && pid > 0)
            {
                _ = Libc.Kill(pid, Consts.SigKill);
            }
        }
        foreach (var child in Children(folder))
        {
            KillListed(child);
        }
    }

    private static bool RemoveTree(string folder)
    {
        if (Libc.RmDir(folder) == 0 || Libc.LastError == Consts.ErrNoEntry)
        {
            return true;
        }
        // A task that is root may have made cgroups of its own in here.
        foreach (var child in Children(folder))
        {
            RemoveTree(child);
        }
        return Libc.RmDir(folder) == 0 || Libc.LastError == Consts.ErrNoEntry;
    }

    private static string[] Children(string folder)
    {
        try
        {
            return Directory.GetDirectories(folder);
        }
        catch (IOException)
        {
            return [];
        }
    }

    private static string? LimitMemory(CgroupTree tree, StartRequest request)
    {
        var folder = tree.FolderOf(Controller.Memory, request.TaskId);
        if (!File.Exists(folder + "/memory.max"))
        {
            return Set(folder, "memory.limit_in_bytes", Text(request.MemoryBytes));
        }
        // A task is one thing: the kernel is not to kill half of it.
        CgroupFiles.Write(folder + "/memory.oom.group", "1");
        return Set(folder, "memory.max", Text(request.MemoryBytes));
    }

    private static string? LimitCpu(CgroupTree tree, StartRequest request)
    {
        var folder = tree.FolderOf(Controller.Cpu, request.TaskId);
        // The kernel takes no quota below 1 ms.
        var quota = Math.Max(1000, request.NanoCpus / (1_000_000_000 / CpuPeriodUs));
        return File.Exists(folder + "/cpu.max")
            ? Set(folder, "cpu.max", $"{Text(quota)} {Text(CpuPeriodUs)}")
            : Set(folder, "cpu.cfs_period_us", Text(CpuPeriodUs)) ?? Set(folder, "cpu.cfs_quota_us", Text(quota));
    }

    private static string? Set(string folder, string file, string value) =>
        CgroupFiles.Write($"{folder}/{file}", value) is var error and not 0
            ? $"cannot set {file} to {value}: {Libc.Describe(error)}"
            : null;

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
