using System.Diagnostics;
using System.Globalization;

namespace Skep.Bench.Sketches;

/// <summary>The machine's state, other programs, and medians.</summary>
internal static class Machine
{
    public static string Load => File.ReadAllText("/proc/loadavg").Split(' ')[0];

    public static double Median(IEnumerable<double> values)
    {
        double[] all = [.. values.Order()];
        return all.Length % 2 == 1 ? all[all.Length / 2] : (all[(all.Length / 2) - 1] + all[all.Length / 2]) / 2;
    }

    public static string? Find(params string[] programs) => programs.FirstOrDefault(static p => (Environment.GetEnvironmentVariable("PATH") ?? "")
        .Split(':').Any(d => File.Exists(Path.Combine(d, p))));

    /// <summary>Runs a shell's line and tells how long it took, what it printed, and the most memory that the named program of it held.</summary>
    public static (double Seconds, string Output, double PeakMiB) Run(string line)
    {
        long began = Stopwatch.GetTimestamp();
        var start = new ProcessStartInfo("/bin/sh", ["-c", line]) { RedirectStandardOutput = true };
        start.Environment["LC_ALL"] = "C";
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        double peak = 0;
        while (!process.WaitForExit(5))
        {
            peak = Math.Max(peak, PeakMiB(process.Id));
        }
        double seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
        return process.ExitCode == 0 ? (seconds, output.Result, peak) : throw new InvalidOperationException($"'{line}' ended with {process.ExitCode}");
    }

    // Of the process itself: a line that begins with "exec" is one.
    private static double PeakMiB(int pid)
    {
        try
        {
            foreach (string line in File.ReadLines($"/proc/{pid}/status"))
            {
                if (line.StartsWith("VmHWM:", StringComparison.Ordinal))
                {
                    return double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024;
                }
            }
        }
        catch (IOException)
        {
            // It has just ended.
        }
        return 0;
    }
}
