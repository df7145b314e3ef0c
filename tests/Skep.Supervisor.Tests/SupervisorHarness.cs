using System.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;
using Skep.Agent.Executors.Process;
using Skep.Supervisor.Protocol;

namespace Skep.Supervisor.Tests;

/// <summary>A real supervisor on a state directory of its own; all of it is gone afterwards.</summary>
internal sealed class SupervisorHarness : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly CancellationTokenSource _deadline = new(TimeSpan.FromSeconds(90));
    private readonly List<SupervisorClient> _clients = [];

    public SupervisorHarness(TimeSpan? idle = null)
    {
        Assert.SkipUnless(Environment.UserName == "root", "starting tasks as other users needs root");
        StateDir = Directory.CreateTempSubdirectory("skep-supervisor-").FullName;
        Idle = idle ?? TimeSpan.FromMilliseconds(500);
        Client = NewClient();
    }

    public string StateDir { get; }

    public TimeSpan Idle { get; }

    public SupervisorClient Client { get; }

    public CancellationToken Ct => _deadline.Token;

    public static string Program =>
        Environment.GetEnvironmentVariable("SKEP_SUPERVISOR") ?? Path.Combine(AppContext.BaseDirectory, "swarmd-supervisor");

    public SupervisorClient NewClient()
    {
        var client = new SupervisorClient(new SupervisorLauncher(StateDir, Program, Idle, NullLogger.Instance));
        _clients.Add(client);
        return client;
    }

    public static StartRequest Shell(string id, string script) => new()
    {
        TaskId = id,
        Argv = ["/bin/sh", "-c", script],
        Env = ["PATH=/usr/bin:/bin"],
        StopGraceMs = 200,
    };

    /// <summary>Starts a task and waits for its end.</summary>
    public async Task<TaskReport> RunAsync(StartRequest request)
    {
        await Client.StartAsync(request, Ct);
        return await EndOf(request.TaskId);
    }

    public async Task<TaskReport> EndOf(string id) =>
        await Within(Client.WaitForEndAsync(id, Ct), $"the end of {id}") ?? throw new InvalidOperationException($"{id} is not known");

    public async Task<string> LogOf(string id, LogRequest? request = null)
    {
        var text = "";
        await foreach (var entry in Client.ReadLogAsync(request ?? new LogRequest(id, Follow: true), Ct))
        {
            text += System.Text.Encoding.UTF8.GetString(entry.Data);
        }
        return text;
    }

    /// <summary>Waits until a task has written a line with that text, and gives the line.</summary>
    public async Task<string> LineOf(string id, string contains)
    {
        await foreach (var entry in Client.ReadLogAsync(new LogRequest(id, Follow: true), Ct))
        {
            var line = System.Text.Encoding.UTF8.GetString(entry.Data);
            if (line.Contains(contains, StringComparison.Ordinal))
            {
                return line.TrimEnd();
            }
        }
        throw new InvalidOperationException($"{id} ended and never wrote '{contains}'");
    }

    public async Task<int> SupervisorPid() => (await Client.WelcomeAsync(Ct)).Pid;

    public async Task KillSupervisor() => await KillAndWait(await SupervisorPid());

    public static async Task KillAndWait(int pid)
    {
        using var process = Process.GetProcessById(pid);
        process.Kill();
        await Within(process.WaitForExitAsync(), $"the death of {pid}");
    }

    public static async Task<T> Within<T>(Task<T> task, string phase)
    {
        await Within((Task)task, phase);
        return await task;
    }

    public static async Task Within(Task task, string phase)
    {
        try
        {
            await task.WaitAsync(Patience);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            throw new TimeoutException($"timed out waiting for {phase}");
        }
    }

    /// <summary>What this node's folders outside the state directory are called.</summary>
    public string RunName => $"skep-{SupervisorHost.HashOf(StateDir):x16}";

    /// <summary>The cgroup folders this node has on the machine.</summary>
    public IReadOnlyList<string> CgroupFolders() =>
    [
        .. Directory.EnumerateDirectories("/sys/fs/cgroup", RunName,
            new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 4, IgnoreInaccessible = true }),
    ];

    public async ValueTask DisposeAsync()
    {
        try
        {
            using var client = new CancellationTokenSource(Patience);
            foreach (var task in await Client.ListAsync(client.Token))
            {
                await Client.RemoveAsync(task.TaskId, client.Token);
            }
            var pid = await SupervisorPid();
            foreach (var each in _clients)
            {
                await each.DisposeAsync();
            }
            // It leaves by itself when nothing is left to do.
            using var process = Process.GetProcessById(pid);
            await Within(process.WaitForExitAsync(), "the supervisor's leaving");
        }
        catch (ArgumentException)
        {
        }
        finally
        {
            _deadline.Dispose();
            Directory.Delete(StateDir, recursive: true);
        }
    }
}
