using System.Globalization;
using System.Text;
using Skep.Supervisor.Native;

namespace Skep.Supervisor;

/// <summary>The supervisor's own log: `supervisor.log` in the state directory, at most 1 MiB and one older file.</summary>
internal static unsafe class SupervisorLog
{
    private const long MaxBytes = 1024 * 1024;

    private static string? s_path;
    private static long s_written;

    /// <summary>Sends what is written, and stdout and stderr of this process, to the file.</summary>
    public static void Open(string path)
    {
        s_path = path;
        s_written = File.Exists(path) ? new FileInfo(path).Length : 0;
        Redirect();
    }

    public static void Write(string message)
    {
        var line = Encoding.UTF8.GetBytes(
            DateTime.UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z' ", CultureInfo.InvariantCulture) + message + "\n");
        if (s_path is not null && s_written > MaxBytes)
        {
            _ = Libc.Rename(s_path, s_path + ".1");
            s_written = 0;
            Redirect();
        }
        fixed (byte* at = line)
        {
            _ = Libc.Write(2, at, line.Length);
        }
        s_written += line.Length;
    }

    private static void Redirect()
    {
        var fd = Libc.Open(s_path!,
            Consts.OpenWriteOnly | Consts.OpenCreate | Consts.OpenAppend | Consts.OpenCloseOnExec, 0x180);
        if (fd >= 0)
        {
            _ = Libc.Dup2(fd, 1);
            _ = Libc.Dup2(fd, 2);
            _ = Libc.Close(fd);
        }
    }
}
