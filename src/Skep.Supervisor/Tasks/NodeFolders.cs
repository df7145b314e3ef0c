using Skep.Supervisor.Native;

namespace Skep.Supervisor.Tasks;

/// <summary>
/// Where tasks are kept. What lasts (logs, exit statuses) is in the state directory. What is of use only while the
/// machine is up (states, pipes) is on a tmpfs if there is one: making and removing files by the thousand costs a
/// disk's file system milliseconds each.
/// </summary>
/// <param name="Disk">Folder of what lasts.</param>
/// <param name="Run">Folder of what does not; the same one where no tmpfs can be had.</param>
internal sealed record NodeFolders(string Disk, string Run)
{
    private const ulong TmpfsMagic = 0x01021994;
    private const uint OwnerOnly = 0x1C0;

    /// <param name="disk">Folder of what lasts.</param>
    /// <param name="name">Tells this node from others of the machine.</param>
    public static NodeFolders Open(string disk, string name)
    {
        Make(disk);
        foreach (var tmpfs in (string[])["/run", "/dev/shm"])
        {
            var run = tmpfs + "/" + name;
            if (Libc.FileSystemOf(tmpfs) == TmpfsMagic && (Libc.MkDir(run, OwnerOnly) == 0 || IsOurs(run)))
            {
                return new NodeFolders(disk, run);
            }
        }
        return new NodeFolders(disk, disk);
    }

    public string DiskOf(string taskId) => Disk + "/" + taskId;

    public string RunOf(string taskId) => Run + "/" + taskId;

    /// <summary>Makes a folder nobody else may enter; it may be there.</summary>
    public static bool Make(string folder) => Libc.MkDir(folder, OwnerOnly) == 0 || Libc.LastError == Consts.ErrExists;

    /// <summary>Ids of all tasks that have anything in either folder.</summary>
    public IReadOnlyCollection<string> TaskIds()
    {
        var ids = new HashSet<string>(StringComparer.Ordinal);
        foreach (var parent in (string[])[Disk, Run])
        {
            foreach (var folder in Directory.GetDirectories(parent))
            {
                ids.Add(Path.GetFileName(folder));
            }
        }
        return ids;
    }

    /// <summary>Removes what was only for while we run, if no task is in it.</summary>
    public void Leave()
    {
        if (Run != Disk)
        {
            _ = Libc.RmDir(Run);
        }
    }

    // /dev/shm is everybody's: one that somebody else made there before us, or a link, is not used.
    private static bool IsOurs(string folder)
    {
        var fd = Libc.Open(folder, Consts.OpenReadOnly | Consts.OpenDirectory | Consts.OpenNoFollow | Consts.OpenCloseOnExec);
        if (fd < 0)
        {
            return false;
        }
        var ours = Libc.FChMod(fd, OwnerOnly) == 0 && Libc.OwnerOf(fd) == Libc.GetEUid();
        _ = Libc.Close(fd);
        return ours;
    }
}
