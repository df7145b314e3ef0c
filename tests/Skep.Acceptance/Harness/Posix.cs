using System.Runtime.InteropServices;

namespace Skep.Acceptance.Harness;

/// <summary>Signals and what /proc knows.</summary>
internal static class Posix
{
    public const int Kill = 9;
    public const int Terminate = 15;
    public const int Continue = 18;
    public const int Stop = 19;

    public static void Signal(int pid, int signal) => _ = SendSignal(pid, signal);

    /// <summary>Whether a process of this id runs; one that ended and was not yet waited for does not.</summary>
    public static bool Runs(int pid)
    {
        try
        {
            string stat = File.ReadAllText($"/proc/{pid}/stat");
            return stat[stat.LastIndexOf(')') + 2] is not ('Z' or 'X');
        }
        catch (IOException)
        {
            return false;
        }
    }

    /// <summary>How much memory a process has at most had, in MiB.</summary>
    public static int PeakMiB(int pid) =>
        int.Parse(Read($"/proc/{pid}/status").Split('\n').Single(static l => l.StartsWith("VmHWM:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], System.Globalization.CultureInfo.InvariantCulture) / 1024;

    /// <summary>Processes whose command line holds a text.</summary>
    public static IReadOnlyList<int> WithCommandLine(string text) =>
        [.. Pids().Where(pid => pid != Environment.ProcessId && Read($"/proc/{pid}/cmdline").Contains(text, StringComparison.Ordinal))];

    /// <summary>A process's children and theirs.</summary>
    public static IReadOnlyList<int> Descendants(int pid)
    {
        ILookup<int, int> children = Pids().ToLookup(ParentOf);
        List<int> found = [pid];
        for (int i = 0; i < found.Count; i++)
        {
            found.AddRange(children[found[i]]);
        }
        return [.. found.Skip(1)];
    }

    public static string Read(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    private static IEnumerable<int> Pids() =>
        Directory.EnumerateDirectories("/proc").Select(Path.GetFileName).Where(name => int.TryParse(name, out _)).Select(name => int.Parse(name!)).ToList();

    private static int ParentOf(int pid)
    {
        string stat = Read($"/proc/{pid}/stat");
        return stat.Length == 0 ? 0 : int.Parse(stat[(stat.LastIndexOf(')') + 4)..].Split(' ')[0]);
    }

    [DllImport("libc", EntryPoint = "kill")]
    private static extern int SendSignal(int pid, int signal);
}
