using System.Text;
using Skep.Supervisor.Cgroups;
using Skep.Supervisor.Loop;
using Skep.Supervisor.Native;
using Skep.Supervisor.Server;
using Skep.Supervisor.Spawning;
using Skep.Supervisor.Tasks;

namespace Skep.Supervisor;

/// <summary>
/// The life of a supervisor: one a state directory, away from the session and the cgroup of whoever started it,
/// until nothing runs and nobody has been connected for a while.
/// </summary>
internal static unsafe class SupervisorHost
{
    private const int ExitUsage = 2;
    private const int ExitAlreadyRuns = 3;
    private const int ExitFailed = 1;
    private const long DefaultIdleMs = 60_000;

    public static int Start(string[] args)
    {
        string? stateDir = null;
        var idleMs = DefaultIdleMs;
        for (var i = 0; i < args.Length; i++)
        {
            var value = i + 1 < args.Length ? args[i + 1] : "";
            switch (args[i])
            {
                case "--state-dir" when value.StartsWith('/'):
                    stateDir = value.TrimEnd('/');
                    i++;
                    break;
                case "--idle-ms" when uint.TryParse(value, out var given):
                    idleMs = given;
                    i++;
                    break;
                default:
                    return Say($"'{args[i]}' is not understood", ExitUsage);
            }
        }
        if (string.IsNullOrEmpty(stateDir))
        {
            return Say("--state-dir is missing", ExitUsage);
        }
        try
        {
            return Run(stateDir, idleMs);
        }
        catch (Exception e)
        {
            SupervisorLog.Write(e is IOException or UnauthorizedAccessException ? e.Message : e.ToString());
            return ExitFailed;
        }
    }

    /// <summary>FNV-1a, 64 bit: tells the nodes of a machine apart.</summary>
    public static ulong HashOf(string text)
    {
        var hash = 14695981039346656037UL;
        foreach (var b in Encoding.UTF8.GetBytes(text))
        {
            hash = (hash ^ b) * 1099511628211UL;
        }
        return hash;
    }

    private static int Run(string stateDir, long idleMs)
    {
        Directory.CreateDirectory(stateDir, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var lockFd = Libc.Open(stateDir + "/supervisor.lock",
            Consts.OpenReadWrite | Consts.OpenCreate | Consts.OpenCloseOnExec, 0x180);
        if (lockFd < 0 || Libc.FLock(lockFd, Consts.LockExclusiveNow) != 0)
        {
            // Nothing to complain of: several may be started at once, and one is enough.
            return ExitAlreadyRuns;
        }
        Detach(stateDir);
        var hash = HashOf(stateDir);
        var name = $"skep-{hash:x16}";
        var folders = NodeFolders.Open(stateDir + "/processes", name);
        var layout = CgroupLayout.Parse(
            CgroupFiles.Read("/proc/self/mountinfo"), CgroupFiles.Read("/proc/self/cgroup"));
        var cgroups = CgroupTree.Open(layout, name);
        cgroups.JoinSupervisor();
        using var loop = new EventLoop();
        using var tasks = new TaskTable(loop, cgroups, folders, hash);
        tasks.Recover();
        var server = new ControlServer(loop, tasks, cgroups, stateDir + "/supervisor.sock");
        SupervisorLog.Write($"pid {Environment.ProcessId}: cgroups {cgroups.Text}; {tasks.Live} tasks found running");
        WatchIdle(loop, tasks, server, idleMs);
        loop.Run();
        // The lock goes with the process, after this: whoever connects too late finds no socket, not a closed one.
        _ = Libc.Unlink(stateDir + "/supervisor.sock");
        cgroups.Leave();
        folders.Leave();
        SupervisorLog.Write("nothing left to do: bye");
        return 0;
    }

    private static void Detach(string stateDir)
    {
        LetGoOfInherited();
        // Fails for a group leader, which whoever runs us from a shell wants to keep.
        _ = Libc.SetSid();
        _ = Libc.UMask(0x3F);
        Directory.SetCurrentDirectory("/");
        var nothing = Libc.Open("/dev/null", Consts.OpenReadOnly | Consts.OpenCloseOnExec);
        _ = Libc.Dup2(nothing, 0);
        _ = Libc.Close(nothing);
        SupervisorLog.Open(stateDir + "/supervisor.log");
        _ = Libc.PrCtl(Consts.PrSetChildSubreaper, 1, 0, 0, 0);
        // Five descriptors a task.
        RLimit files;
        if (Libc.GetRLimit(Consts.RLimitNoFile, &files) == 0)
        {
            files.Soft = files.Hard;
            _ = Libc.SetRLimit(Consts.RLimitNoFile, &files);
        }
    }

    /// <summary>
    /// Closes what whoever started us left open: a lock or a pipe of theirs is not to stay held for as long as we live.
    /// What this program opened itself is marked to be closed on exec, what came through exec is not.
    /// </summary>
    private static void LetGoOfInherited()
    {
        const int GetFlags = 1;
        if (!Child.IsCompiledAhead)
        {
            // The other runtime's own descriptors are not ours to judge.
            return;
        }
        foreach (var path in Directory.GetFileSystemEntries("/proc/self/fd"))
        {
            if (int.TryParse(Path.GetFileName(path), out var fd) && fd > 2 && Libc.FCntl(fd, GetFlags, 0) == 0)
            {
                _ = Libc.Close(fd);
            }
        }
    }

    private static void WatchIdle(EventLoop loop, TaskTable tasks, ControlServer server, long idleMs)
    {
        var sinceMs = EventLoop.NowMs;
        void Look()
        {
            if (tasks.Live > 0 || server.Count > 0)
            {
                sinceMs = EventLoop.NowMs;
            }
            else if (EventLoop.NowMs - sinceMs >= idleMs)
            {
                loop.Stop();
                return;
            }
            loop.After(Math.Clamp(idleMs / 4, 50, 5_000), Look);
        }
        Look();
    }

    private static int Say(string what, int exitCode)
    {
        SupervisorLog.Write($"swarmd-supervisor: {what}. It is started by swarmd: swarmd-supervisor --state-dir /DIR [--idle-ms N]");
        return exitCode;
    }
}
