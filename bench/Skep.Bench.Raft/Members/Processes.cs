using System.Diagnostics;

namespace Skep.Bench.Raft;

/// <summary>The members of a run, as processes that can be killed and started again.</summary>
internal sealed class Processes : IAsyncDisposable
{
    private readonly Process?[] _processes;
    private readonly int[] _ports;
    private readonly string _machine;

    public Processes(string parent, int members, string machine = "names")
    {
        _machine = machine;
        Folder = Directory.CreateDirectory(Path.Combine(parent, $"skep-bench-raft-{Environment.ProcessId}")).FullName;
        _ports = Loopback.FreePorts(2 * members);
        _processes = new Process?[members];
        Certificates.Write(Folder, members);
        for (int i = 0; i < members; i++)
        {
            Start(i);
        }
    }

    public string Folder { get; }

    /// <summary>Where clients reach each of them.</summary>
    public int[] ClientPorts => _ports[_processes.Length..];

    /// <summary>The operating system's numbers of those that run.</summary>
    public IEnumerable<int> Ids => _processes.Where(static p => p is not null).Select(static p => p!.Id);

    public double CpuSeconds => _processes.Sum(static p => p is null ? 0 : Loopback.CpuSeconds(p.Id));

    public void Start(int member) =>
        _processes[member] = Process.Start(Environment.ProcessPath!, ["member", Folder, $"{member + 1}", _machine, .. _ports.Select(static p => $"{p}")]);

    /// <summary>kill -9, and its end awaited.</summary>
    public async Task KillAsync(int member)
    {
        if (_processes[member] is { } process)
        {
            process.Kill();
            await process.WaitForExitAsync();
            process.Dispose();
            _processes[member] = null;
        }
    }

    public async ValueTask DisposeAsync()
    {
        for (int i = 0; i < _processes.Length; i++)
        {
            await KillAsync(i);
        }

        Directory.Delete(Folder, recursive: true);
    }
}
