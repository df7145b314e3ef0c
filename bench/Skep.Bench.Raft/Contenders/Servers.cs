using System.Diagnostics;

namespace Skep.Bench.Raft;

/// <summary>Another system's servers, in a folder that is gone with them.</summary>
internal sealed class Servers(string parent, string name) : IAsyncDisposable
{
    private readonly List<Process> _processes = [];

    public string Folder { get; } = Directory.CreateDirectory(Path.Combine(parent, $"skep-bench-{name}-{Environment.ProcessId}")).FullName;

    public double CpuSeconds => _processes.Sum(static p => Loopback.CpuSeconds(p.Id));

    public void Start(string program, IEnumerable<string> arguments)
    {
        // The shell is gone with exec: what runs is the program, with its output in a file.
        string log = Path.Combine(Folder, $"server-{_processes.Count + 1}.log");
        _processes.Add(Process.Start("/bin/sh", ["-c", "log=$1; shift; exec \"$@\" >\"$log\" 2>&1 </dev/null", "sh", log, program, .. arguments]));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (Process process in _processes)
        {
            process.Kill();
            await process.WaitForExitAsync();
            process.Dispose();
        }

        Directory.Delete(Folder, recursive: true);
    }
}
