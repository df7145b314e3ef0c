using System.Diagnostics;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Skep.TestEngine;

/// <summary>
/// A Docker engine of the tests' own: its own folders, socket and bridge, beside whatever else runs on the machine.
/// Registries cannot be reached, so that every pull fails at once.
/// </summary>
public sealed partial class DockerEngine : IAsyncDisposable
{
    private const string Program = "/usr/sbin/dockerd";
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(30);

    private readonly string _folder;
    private readonly string _bridge;
    private readonly string _subnet;
    private readonly IReadOnlyList<string> _wrapper;
    private readonly HttpClient _http;
    private Process? _process;

    private DockerEngine(string folder, string bridge, string subnet, IReadOnlyList<string> wrapper)
    {
        (_folder, _bridge, _subnet, _wrapper) = (folder, bridge, subnet, wrapper);
        _http = new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = async (_, ct) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(Socket), ct);
                return new NetworkStream(socket, ownsSocket: true);
            },
        })
        { BaseAddress = new Uri("http://engine") };
    }

    /// <summary>Why no engine can be had here; null when one can.</summary>
    public static string? WhyNot =>
        Environment.UserName != "root" ? "an engine needs root"
        : !File.Exists(Program) ? $"there is no {Program} (Debian: docker.io)"
        : ImageTar.WhyNot;

    /// <summary>Path of its API socket.</summary>
    public string Socket => Path.Combine(_folder, "docker.sock");

    /// <summary>Its folder, removed with it.</summary>
    public string Folder => _folder;

    /// <summary>The daemon's process id.</summary>
    public int ProcessId => _process?.Id ?? throw new InvalidOperationException("the engine does not run");

    private string ContainerdPid => Path.Combine(_folder, "exec", "containerd", "containerd.pid");

    /// <summary>What the daemon said.</summary>
    public string LogPath => Path.Combine(_folder, "dockerd.log");

    /// <summary>Starts an engine with the image <c>busybox</c>.</summary>
    /// <param name="wrapper">A command that the daemon is started by, such as <see cref="NetworkNamespace.Wrapper"/>; then no bridge is made for it.</param>
    public static async Task<DockerEngine> StartAsync(params IReadOnlyList<string> wrapper)
    {
        var number = Random.Shared.Next(0, 65536);
        var engine = new DockerEngine(
            Directory.CreateTempSubdirectory("skep-engine-").FullName, $"skep{number:x4}", $"10.{224 + number % 16}.{number / 256}", wrapper);
        try
        {
            if (wrapper.Count == 0)
            {
                Run("ip", "link", "add", engine._bridge, "type", "bridge");
                Run("ip", "addr", "add", engine._subnet + ".1/24", "dev", engine._bridge);
                Run("ip", "link", "set", engine._bridge, "up");
            }

            await engine.StartAgainAsync();
            await engine.ImportAsync("busybox", "latest", ImageTar.Busybox, "CMD [\"sh\"]");
            return engine;
        }
        catch
        {
            await engine.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts the daemon after it was stopped or killed, on the same folders, and waits until it answers.</summary>
    public async Task StartAgainAsync()
    {
        string[] daemon =
        [
            Program,
            "--data-root", Path.Combine(_folder, "data"),
            "--exec-root", Path.Combine(_folder, "exec"),
            "--pidfile", Path.Combine(_folder, "docker.pid"),
            "--host", "unix://" + Socket,
            "--iptables=false",
            "--ip6tables=false",
            .. _wrapper.Count == 0 ? (string[])["--bridge", _bridge] : [],
        ];
        string[] command = [.. _wrapper, .. daemon];
        var start = new ProcessStartInfo(command[0], command.Skip(1)) { RedirectStandardError = true, RedirectStandardOutput = true };

        // Nobody listens on port 1.
        start.Environment["HTTP_PROXY"] = start.Environment["HTTPS_PROXY"] = "http://127.0.0.1:1";
        var log = new StreamWriter(new FileStream(LogPath, FileMode.Append, FileAccess.Write, FileShare.ReadWrite)) { AutoFlush = true };
        var process = _process = Process.Start(start)!;
        void Write(object? _, DataReceivedEventArgs line)
        {
            lock (log)
            {
                if (line.Data is not null)
                {
                    log.WriteLine(line.Data);
                }
            }
        }

        process.OutputDataReceived += Write;
        process.ErrorDataReceived += Write;
        process.BeginErrorReadLine();
        process.BeginOutputReadLine();

        using var timeout = new CancellationTokenSource(StartTimeout);
        using var look = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (!await AnswersAsync(timeout.Token))
        {
            if (process.HasExited)
            {
                throw new InvalidOperationException($"dockerd ended with {process.ExitCode}:\n{string.Join('\n', File.ReadLines(LogPath).TakeLast(10))}");
            }

            await look.WaitForNextTickAsync(timeout.Token);
        }
    }

    /// <summary>Ends the daemon as a service manager does; its containers end with it.</summary>
    public Task StopAsync() => EndAsync(15);

    /// <summary>Kills the daemon; its containers go on until it is started again.</summary>
    public async Task KillAsync()
    {
        await EndAsync(9);

        // Its containerd dies with it, and may stay as a zombie that the next daemon would wait for.
        KillNoted(ContainerdPid);
        File.Delete(ContainerdPid);
    }

    /// <summary>Imports redis:3.0.5, 3.0.6 and 3.0.7, all of them Debian's redis-server.</summary>
    public async Task ImportRedisAsync()
    {
        foreach (var tag in new[] { "3.0.5", "3.0.6", "3.0.7" })
        {
            await ImportAsync(
                "redis", tag, ImageTar.Redis, "CMD [\"/usr/local/bin/redis-server\", \"--protected-mode\", \"no\", \"--save\", \"\"]", "WORKDIR /data", "EXPOSE 6379");
        }
    }

    /// <summary>Makes an image of a root file system.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="tag">Its tag.</param>
    /// <param name="write">Writes the root file system as a tar.</param>
    /// <param name="changes">Lines of a Dockerfile.</param>
    public async Task ImportAsync(string name, string tag, Action<Stream> write, params IEnumerable<string> changes)
    {
        using var tar = new MemoryStream();
        write(tar);
        tar.Position = 0;
        var query = $"/images/create?fromSrc=-&repo={name}&tag={tag}{string.Concat(changes.Select(c => "&changes=" + Uri.EscapeDataString(c)))}";
        using var answer = await _http.PostAsync(new Uri(query, UriKind.Relative), new StreamContent(tar));
        var said = await answer.Content.ReadAsStringAsync();
        if (!answer.IsSuccessStatusCode || said.Contains("\"error\"", StringComparison.Ordinal))
        {
            throw new InvalidOperationException($"importing {name}:{tag}: {said}");
        }
    }

    /// <summary>Asks the engine's API.</summary>
    public async Task<JsonElement> GetAsync(string path)
    {
        using var answer = await _http.GetAsync(new Uri(path, UriKind.Relative));
        return await answer.Content.ReadFromJsonAsync<JsonElement>();
    }

    /// <summary>Asks the engine's API for something that is no JSON.</summary>
    public async Task<string> TextAsync(string path) => await _http.GetStringAsync(new Uri(path, UriKind.Relative));

    /// <summary>Tells the engine's API; returns the status code.</summary>
    public async Task<int> SendAsync(HttpMethod method, string path, object? body = null)
    {
        using var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative)) { Content = body is null ? null : JsonContent.Create(body) };
        using var answer = await _http.SendAsync(request);
        return (int)answer.StatusCode;
    }

    /// <summary>All containers, those that ended included.</summary>
    public async Task<IReadOnlyList<JsonElement>> ContainersAsync() => [.. (await GetAsync("/containers/json?all=1")).EnumerateArray()];

    /// <summary>Removes all containers.</summary>
    public async Task ClearAsync()
    {
        foreach (var container in await ContainersAsync())
        {
            await SendAsync(HttpMethod.Delete, $"/containers/{container.GetProperty("Id").GetString()}?force=1&v=1");
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        try
        {
            if (_process is { HasExited: false })
            {
                await ClearAsync();
            }
        }
        catch (HttpRequestException)
        {
            // It answers no more; its containers end with their folders' mounts.
        }

        await EndAsync(15);
        KillNoted(ContainerdPid);
        _http.Dispose();
        if (_wrapper.Count == 0)
        {
            TryRun("ip", "link", "del", _bridge);
        }

        foreach (var mount in File.ReadLines("/proc/self/mountinfo").Select(l => l.Split(' ')[4])
            .Where(m => m.StartsWith(_folder + "/", StringComparison.Ordinal)).Reverse().ToList())
        {
            TryRun("umount", "-l", mount);
        }

        TryRun("rm", "-rf", _folder);
    }

    private async Task<bool> AnswersAsync(CancellationToken cancellationToken)
    {
        try
        {
            using var answer = await _http.GetAsync(new Uri("/_ping", UriKind.Relative), cancellationToken);
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private async Task EndAsync(int signal)
    {
        if (_process is not { } process)
        {
            return;
        }

        _process = null;
        using (process)
        {
            // Not the wrapper, which may be another process than the daemon.
            var pid = File.Exists(Path.Combine(_folder, "docker.pid"))
                && int.TryParse(await File.ReadAllTextAsync(Path.Combine(_folder, "docker.pid")), out var noted) ? noted : process.Id;
            _ = Kill(pid, signal);
            using var timeout = new CancellationTokenSource(StopTimeout);
            try
            {
                await process.WaitForExitAsync(timeout.Token);
            }
            catch (OperationCanceledException)
            {
                _ = Kill(pid, 9);
                process.Kill();
                await process.WaitForExitAsync(CancellationToken.None);
            }
        }

        File.Delete(Path.Combine(_folder, "docker.pid"));
    }

    private static void KillNoted(string pidFile)
    {
        if (File.Exists(pidFile) && int.TryParse(File.ReadAllText(pidFile), out var pid))
        {
            _ = Kill(pid, 9);
        }
    }

    private static void Run(string program, params string[] arguments)
    {
        if (TryRun(program, arguments) is { Length: > 0 } error)
        {
            throw new InvalidOperationException($"{program} {string.Join(' ', arguments)}: {error}");
        }
    }

    private static string TryRun(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true, WorkingDirectory = "/" })!;
        var error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? "" : error.Trim() is { Length: > 0 } said ? said : $"ended with {process.ExitCode}";
    }

    [DllImport("libc", EntryPoint = "kill")]
    private static extern int Kill(int pid, int signal);
}
