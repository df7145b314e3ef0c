using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Skep.DataPlane.Tests.Workers;

/// <summary>Network namespaces of this test process alone, gone when it is done.</summary>
internal sealed partial class Netns : IDisposable
{
    private const int CloneNewNet = 0x40000000;
    private static int s_count;
    private readonly List<string> _names = [];

    /// <summary>Skips the test where namespaces cannot be had.</summary>
    public static void RequireRoot()
    {
        Assert.SkipUnless(Environment.UserName == "root", "network namespaces and packet sockets take root");
        Assert.SkipUnless(Ip.Any(File.Exists), "the program ip (package iproute2) is not installed");
        Assert.SkipUnless(File.Exists("/dev/net/tun"), "/dev/net/tun is not there");
    }

    private static readonly string[] Ip = ["/usr/sbin/ip", "/sbin/ip", "/usr/bin/ip"];

    public string Add(string name)
    {
        // Tests run beside each other.
        string full = $"skep{Environment.ProcessId}{name}{Interlocked.Increment(ref s_count)}";
        Command($"netns add {full}");
        _names.Add(full);
        Command($"-n {full} link set lo up");
        return full;
    }

    /// <summary>Runs the program ip; words between spaces.</summary>
    public static void Command(string arguments) => Assert.Null(Program(Ip.First(File.Exists), arguments.Split(' ')));

    /// <summary>Runs a shell line in a namespace.</summary>
    public static void Shell(string name, string line) => Assert.True(TryShell(name, line), $"in namespace {name}: {line}");

    /// <summary>The same; false where it fails.</summary>
    public static bool TryShell(string name, string line) => Program(Ip.First(File.Exists), ["netns", "exec", name, "sh", "-c", line]) is null;

    /// <summary>Runs something on a thread that is in a namespace; sockets that it opens stay there.</summary>
    public static Thread Start(string name, Action action)
    {
        var thread = new Thread(() =>
        {
            using var file = File.OpenHandle($"/var/run/netns/{name}");
            Assert.Equal(0, setns((int)file.DangerousGetHandle(), CloneNewNet));
            action();
        })
        { IsBackground = true };
        thread.Start();
        return thread;
    }

    /// <summary>The same, and waits for what it gives.</summary>
    public static T Run<T>(string name, Func<T> action)
    {
        T? result = default;
        Exception? failure = null;
        Start(name, () =>
        {
            try
            {
                result = action();
            }
            catch (Exception e)
            {
                failure = e;
            }
        }).Join();
        return failure is null ? result! : throw new InvalidOperationException($"in namespace {name}: {failure.Message}", failure);
    }

    public void Dispose() => _names.ForEach(name => Command($"netns del {name}"));

    private static string? Program(string program, string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        string error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? null : $"{program} {string.Join(' ', arguments)}: {error}";
    }

    [LibraryImport("libc")]
    private static partial int setns(int fd, int kind);
}
