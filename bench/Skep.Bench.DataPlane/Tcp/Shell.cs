using System.Diagnostics;

namespace Skep.Bench.DataPlane.Tcp;

/// <summary>Programs of the machine.</summary>
internal static class Shell
{
    /// <summary>Runs a line and gives what it printed.</summary>
    public static string Run(string line)
    {
        using Process process = Start(line, null);
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? output : throw new InvalidOperationException($"{line}: {errors.Result.Trim()}");
    }

    /// <summary>The same within a network namespace.</summary>
    public static string Run(string space, string line) => Run($"exec ip netns exec {space} sh -c {Quote(line)}");

    /// <summary>Starts a program in a network namespace; it stays until it is killed.</summary>
    public static Process Serve(string space, string line)
    {
        Process process = Start($"exec ip netns exec {space} {line}", null);
        process.OutputDataReceived += static (_, _) => { };
        process.ErrorDataReceived += static (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }

    private static Process Start(string line, string? folder) => Process.Start(new ProcessStartInfo("/bin/sh", ["-c", line])
    {
        RedirectStandardOutput = true,
        RedirectStandardError = true,
        WorkingDirectory = folder ?? Path.GetTempPath(),
    })!;

    private static string Quote(string text) => $"'{text.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}
