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

    /// <summary>Kills a session and what else runs as a user: for where there are no cgroups.</summary>
    public static void KillAll(int session, uint ownUid)
    {
        foreach (var pid in Of(session, ownUid))
        {
            _ = Libc.Kill(pid, Consts.SigKill);
        }
    }

    public static bool AnyLives(int session, uint ownUid) => Of(session, ownUid).Count > 0;

    private static List<int> Of(int session, uint ownUid)
    {
        var found = new List<int>();
        var wanted = session.ToString(CultureInfo.InvariantCulture);
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder.AsSpan()), NumberStyles.None, CultureInfo.InvariantCulture, out var pid)
                && Fields(pid) is { Length: > 3 } fields && fields[0] is not ("Z" or "X")
                && ((session > 0 && fields[3] == wanted) || (ownUid != uint.MaxValue && UidOf(pid) == ownUid)))
            {
                found.Add(pid);
            }
        }
        return found;
    }

    private static uint? UidOf(int pid)
    {
        foreach (var line in CgroupFiles.Read($"/proc/{pid}/status").Split('\n'))
        {
            if (line.StartsWith("Uid:\t", StringComparison.Ordinal))
            {
                return uint.TryParse(line.Split('\t')[1], NumberStyles.None, CultureInfo.InvariantCulture, out var uid) ? uid : null;
            }
        }
        return null;
    }

    /// <summary>The fields of /proc/PID/stat after the name, which may itself hold spaces and brackets.</summary>
    private static string[] Fields(int pid)
    {
        var text = CgroupFiles.Read($"/proc/{pid}/stat");
        var nameEnd = text.LastIndexOf(')');
        return nameEnd < 0 ? [] : text[(nameEnd + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
    }
}
