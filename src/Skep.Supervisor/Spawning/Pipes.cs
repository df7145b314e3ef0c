using Skep.Supervisor.Native;

namespace Skep.Supervisor.Spawning;

/// <summary>
/// The named pipes of a task's stdout and stderr. The task's end is open for reading too: when the supervisor is
/// gone the task waits for room in the pipe, it is not told that nobody will ever read.
/// </summary>
internal static class Pipes
{
    public static string? Make(
        string folder, uint uid, uint gid, out int outRead, out int errRead, out int outWrite, out int errWrite)
    {
        errRead = errWrite = -1;
        return Make(folder + "/out", uid, gid, out outRead, out outWrite)
            ?? Make(folder + "/err", uid, gid, out errRead, out errWrite);
    }

    /// <summary>Opens the reading end of a pipe there is; -1 if it cannot be.</summary>
    public static int OpenToRead(string path) =>
        Libc.Open(path, Consts.OpenReadOnly | Consts.OpenNonBlock | Consts.OpenCloseOnExec);

    public static void Close(params ReadOnlySpan<int> descriptors)
    {
        foreach (var fd in descriptors)
        {
            if (fd >= 0)
            {
                _ = Libc.Close(fd);
            }
        }
    }

    private static string? Make(string path, uint uid, uint gid, out int read, out int write)
    {
        read = write = -1;
        if (Libc.MkFifo(path, 0x180) != 0
            || (read = OpenToRead(path)) < 0
            || (write = Libc.Open(path, Consts.OpenReadWrite | Consts.OpenCloseOnExec)) < 0
            // So that the task may open /dev/stdout.
            || (Libc.GetEUid() == 0 && Libc.FChOwn(write, uid, gid) != 0))
        {
            return $"cannot make the pipe {path}: {Libc.Describe(Libc.LastError)}";
        }
        return null;
    }
}
