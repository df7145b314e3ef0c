using System.Diagnostics;

namespace Skep.Bench.Raft;

/// <summary>Another system's servers, in a folder that is gone with them.</summary>
internal sealed class Servers(string parent, string name) : IAsyncDisposable
{
    private readonly List<(string[] Command, Process Process)> _servers = [];

    public string Folder { get; } = Directory.CreateDirectory(Path.Combine(parent, $"skep-bench-{name}-{Environment.ProcessId}")).FullName;

    public IEnumerable<int> Pids => _servers.Where(static s => !s.Process.HasExited).Select(static s => s.Process.Id);

    public double CpuSeconds => Pids.Sum(Loopback.CpuSeconds);

    public void Start(string program, IEnumerable<string> arguments)
    {
        string[] command = [Path.Combine(Folder, $"server-{_servers.Count + 1}.log"), program, .. arguments];
        _servers.Add((command, Launch(command)));
    }

    public async Task KillAsync(int server)
    {
        _servers[server].Process.Kill();
        await _servers[server].Process.WaitForExitAsync();
    }

    /// <summary>Starts a killed one with the command and in the folder it had.</summary>
    public void StartAgain(int server)
    {
        _servers[server].Process.Dispose();
        _servers[server] = (_servers[server].Command, Launch(_servers[server].Command));
    }

    /// <exception cref="InvalidOperationException">A server has ended by itself; says what it logged last.</exception>
    public void EnsureAlive()
    {
        foreach ((string[] command, Process process) in _servers)
        {
            if (process.HasExited)
            {
                throw new InvalidOperationException($"{name} ended with {process.ExitCode}:\n{string.Join('\n', File.ReadLines(command[0]).TakeLast(5))}");
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach ((_, Process process) in _servers)
        {
            process.Kill();
            await process.WaitForExitAsync();
            process.Dispose();
        }

        Directory.Delete(Folder, recursive: true);
    }

    // The shell is gone with exec: what runs is the program, with its output in a file.
    private static Process Launch(string[] command) =>
        Process.Start("/bin/sh", ["-c", "log=$1; shift; exec \"$@\" >>\"$log\" 2>&1 </dev/null", "sh", .. command]);
}
