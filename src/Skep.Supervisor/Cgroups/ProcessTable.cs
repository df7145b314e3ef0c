using System.Globalization;
using Skep.Supervisor.Native;

namespace Skep.Supervisor.Cgroups;

/// <summary>What /proc says of processes.</summary>
internal static class ProcessTable
{
    /// <summary>
    /// When a process started, in clock ticks since boot: with its pid it names the process for good. 0 for a
    /// process that is not there or has ended and was not waited for yet.
    /// </summary>
    public static ulong StartTicks(int pid) =>
        Fields(pid) is { Length: > 19 } fields && fields[0] is not ("Z" or "X")
        && ulong.TryParse(fields[19], NumberStyles.None, CultureInfo.InvariantCulture, out var ticks) ? ticks : 0;

    public static void KillSession(int leader)
    {
        foreach (var pid in OfSession(leader))
        {
            _ = Libc.Kill(pid, Consts.SigKill);
        }
    }

    public static bool SessionLives(int leader) => OfSession(leader).Count > 0;

    private static List<int> OfSession(int leader)
    {
        var found = new List<int>();
        if (leader <= 0)
        {
            return found;
        }
        var wanted = leader.ToString(CultureInfo.InvariantCulture);
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder.AsSpan()), NumberStyles.None, CultureInfo.InvariantCulture, out var pid)
                && Fields(pid) is { Length: > 3 } fields && fields[3] == wanted && fields[0] is not ("Z" or "X"))
            {
                found.Add(pid);
            }
        }
        return found;
    }

    /// <summary>The fields of /proc/PID/stat after the name, which may itself hold spaces and brackets.</summary>
    private static string[] Fields(int pid)
    {
        var text = CgroupFiles.Read($"/proc/{pid}/stat");
        var nameEnd = text.LastIndexOf(')');
        return nameEnd < 0 ? [] : text[(nameEnd + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
    }
}
