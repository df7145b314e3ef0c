using System.Diagnostics;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace Skep.Agent.Executors.Process;

/// <summary>Finds this node's supervisor, and starts one where there is none.</summary>
/// <param name="stateDir">The node's state directory; there is one supervisor a directory.</param>
/// <param name="program">Path of `swarmd-supervisor`.</param>
/// <param name="idle">How long a supervisor without tasks and without a peer stays.</param>
/// <param name="log">Told of starts.</param>
internal sealed partial class SupervisorLauncher(string stateDir, string program, TimeSpan idle, ILogger log)
{
    private static readonly TimeSpan StartWithin = TimeSpan.FromSeconds(10);

    /// <summary>The program beside the running one.</summary>
    public static string DefaultProgram => Path.Combine(AppContext.BaseDirectory, "swarmd-supervisor");

    /// <summary>Whether a supervisor runs, was killed (its socket is still there), or has left ended tasks behind.</summary>
    public bool MayKnowTasks =>
        File.Exists(SocketPath)
        || (Path.Combine(stateDir, "processes") is var tasks && Directory.Exists(tasks) && Directory.EnumerateDirectories(tasks).Any());

    private string SocketPath => Path.Combine(Path.GetFullPath(stateDir), "supervisor.sock");

    /// <summary>Connects, after starting a supervisor if need be.</summary>
    /// <exception cref="SupervisorUnavailableException">None can be had.</exception>
    public async Task<Socket> ConnectAsync(CancellationToken ct)
    {
        var path = SocketPath;
        var deadline = Stopwatch.StartNew();
        var pause = TimeSpan.FromMilliseconds(2);
        System.Diagnostics.Process? started = null;
        try
        {
            while (true)
            {
                if (await TryConnectAsync(path, ct) is { } socket)
                {
                    return socket;
                }
                // It may have lost to another one that is about to listen, or to one about to leave: then try again.
                if (started is null or { HasExited: true })
                {
                    if (started is { ExitCode: not (0 or 3) and var code })
                    {
                        throw new SupervisorUnavailableException(
                            $"{program} ended with {code}: see {Path.Combine(stateDir, "supervisor.log")}");
                    }
                    started?.Dispose();
                    started = Start();
                }
                if (deadline.Elapsed > StartWithin)
                {
                    throw new SupervisorUnavailableException(
                        $"{program} does not listen on {path} after {StartWithin.TotalSeconds:0} s");
                }
                await Task.Delay(pause, ct);
                pause = pause < TimeSpan.FromMilliseconds(100) ? pause * 2 : pause;
            }
        }
        finally
        {
            started?.Dispose();
        }
    }

    private static async Task<Socket?> TryConnectAsync(string path, CancellationToken ct)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), ct);
            return socket;
        }
        catch (SocketException)
        {
            socket.Dispose();
            return null;
        }
        catch (ArgumentException e)
        {
            socket.Dispose();
            throw new SupervisorUnavailableException(
                $"{path}: too long for a unix socket, which takes 107 bytes: use a shorter state directory", e);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private System.Diagnostics.Process Start()
    {
        var info = new ProcessStartInfo(program)
        {
            UseShellExecute = false,
            ArgumentList =
            {
                "--state-dir", Path.GetFullPath(stateDir),
                "--idle-ms", ((long)idle.TotalMilliseconds).ToString(System.Globalization.CultureInfo.InvariantCulture),
            },
        };
        try
        {
            var started = System.Diagnostics.Process.Start(info)!;
            Started(log, started.Id);
            return started;
        }
        catch (Exception e) when (e is System.ComponentModel.Win32Exception or InvalidOperationException)
        {
            throw new SupervisorUnavailableException($"{program} cannot be started: {e.Message}", e);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "started the supervisor of process tasks, pid {Pid}")]
    private static partial void Started(ILogger logger, int pid);
}
