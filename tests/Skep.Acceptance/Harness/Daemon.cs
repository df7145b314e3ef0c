using System.Diagnostics;

namespace Skep.Acceptance.Harness;

/// <summary>One swarmd: its state directory, its flags and its process, which can be killed and started again.</summary>
internal sealed class Daemon(string folder, string name, string[] flags, string[] wrapper) : IAsyncDisposable
{
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(20);
    private Process? process;

    public string Name { get; } = name;

    public string StateDirectory { get; } = Path.Combine(folder, name);

    public string LogPath { get; } = Path.Combine(folder, name + ".log");

    /// <summary>Its control socket.</summary>
    public string Socket => Flag("--listen-control-api");

    /// <summary>Where it listens, if it manages.</summary>
    public string Address => Flag("--listen-remote-api");

    /// <summary>Whether it has a port for others, and so can manage.</summary>
    public bool Manages => flags.Contains("--listen-remote-api");

    public int Pid => process?.Id ?? throw new InvalidOperationException($"{Name} does not run");

    public bool Runs => process is { HasExited: false };

    public int ExitCode => process!.ExitCode;

    public string Log => Posix.Read(LogPath);

    public Daemon Start()
    {
        // The log is a file, for whatever the daemon starts holds it open longer than the daemon.
        string[] command = [.. wrapper, "/bin/sh", "-c", "exec \"$0\" \"$@\" >>\"$LOG\" 2>&1", Programs.Swarmd, "-d", StateDirectory, "--hostname", Name, .. flags];
        var start = new ProcessStartInfo(command[0], command[1..]);
        start.Environment["LOG"] = LogPath;
        process?.Dispose();
        process = Process.Start(start)!;
        return this;
    }

    public void Signal(int signal) => Posix.Signal(Pid, signal);

    public async Task KillAsync()
    {
        Signal(Posix.Kill);
        await EndedAsync();
    }

    /// <summary>Waits until it has ended by itself.</summary>
    public async Task<int> EndedAsync()
    {
        await Wait.Until($"{Name} ends", () => !Runs);
        return ExitCode;
    }

    private string Flag(string name) => Array.IndexOf(flags, name) is >= 0 and int at ? flags[at + 1] : throw new InvalidOperationException($"{Name} was started without {name}");

    public async ValueTask DisposeAsync()
    {
        if (!Runs)
        {
            return;
        }
        Signal(Posix.Continue);
        Signal(Posix.Terminate);
        using var timeout = new CancellationTokenSource(StopTimeout);
        try
        {
            await process!.WaitForExitAsync(timeout.Token);
        }
        catch (OperationCanceledException)
        {
            process!.Kill();
            await process.WaitForExitAsync(CancellationToken.None);
        }
    }
}
