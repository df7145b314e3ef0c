using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Swarmctl.DataPlane.Demo;

/// <summary>Network namespaces of this process alone, gone when it is done.</summary>
internal sealed partial class Namespaces : IDisposable
{
    private const int CloneNewNet = 0x40000000;
    private readonly List<string> names = [];

    /// <summary>Makes one.</summary>
    /// <exception cref="UserException">It cannot be made.</exception>
    public string Add(string name)
    {
        string full = $"skep-demo-{Environment.ProcessId}-{name}";
        Ip($"netns add {full}");
        names.Add(full);
        Ip($"-n {full} link set lo up");
        return full;
    }

    /// <summary>Runs the program ip; words between blanks.</summary>
    /// <exception cref="UserException">It fails.</exception>
    public static void Ip(string arguments) => Run("ip", arguments.Split(' '));

    /// <summary>Runs a line of shell in a namespace.</summary>
    /// <exception cref="UserException">It fails.</exception>
    public static void Shell(string name, string line) => Run("ip", ["netns", "exec", name, "sh", "-c", line]);

    /// <summary>Runs something on a thread that is in a namespace; sockets that it opens stay there.</summary>
    public static Thread Start(string name, Action action)
    {
        var thread = new Thread(() =>
        {
            using var file = File.OpenHandle($"/var/run/netns/{name}");
            if (SetNamespace((int)file.DangerousGetHandle(), CloneNewNet) == 0)
            {
                action();
            }
        })
        { IsBackground = true };
        thread.Start();
        return thread;
    }

    public void Dispose()
    {
        foreach (string name in names)
        {
            try
            {
                Ip($"netns del {name}");
            }
            catch (UserException)
            {
                // What can be taken away is.
            }
        }
    }

    private static void Run(string program, string[] arguments)
    {
        try
        {
            using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
            string error = process.StandardError.ReadToEnd();
            process.WaitForExit();
            if (process.ExitCode != 0)
            {
                throw new UserException($"{program} {string.Join(' ', arguments)}: {error.Trim()}");
            }
        }
        catch (Win32Exception e)
        {
            throw new UserException($"the program {program} cannot be run (Debian: iproute2): {e.Message}");
        }
    }

    [LibraryImport("libc", EntryPoint = "setns", SetLastError = true)]
    private static partial int SetNamespace(int fd, int kind);
}
