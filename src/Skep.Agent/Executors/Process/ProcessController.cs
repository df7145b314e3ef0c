using System.Net;
using Docker.Swarmkit.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Skep.Supervisor.Protocol;

namespace Skep.Agent.Executors.Process;

/// <summary>Drives one process task through the node's supervisor.</summary>
internal sealed class ProcessController : IController, IReachableController
{
    private readonly SwarmTask _task;
    private readonly ITaskDependencies _dependencies;
    private readonly ProcessExecutorOptions _options;
    private readonly SupervisorClient _supervisor;

    public ProcessController(
        SwarmTask task, ITaskDependencies dependencies, ProcessExecutorOptions options, SupervisorClient supervisor)
    {
        (_task, _dependencies, _options, _supervisor) = (task, dependencies, options, supervisor);
    }

    /// <summary>What may differ in a newer definition is nothing a process has.</summary>
    public Task UpdateAsync(SwarmTask task, CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task PrepareAsync(CancellationToken cancellationToken)
    {
        var request = Request();
        var welcome = await SupervisorErrors.TranslateAsync(() => _supervisor.WelcomeAsync(cancellationToken));
        foreach (var (field, asked, can) in ((string, bool, bool)[])
        [
            ("resources.limits.memory_bytes", request.MemoryBytes > 0, welcome.MemoryLimits),
            ("resources.limits.nano_cpus", request.NanoCpus > 0, welcome.CpuLimits),
            ("pids_limit", request.Pids > 0, welcome.PidLimits),
        ])
        {
            if (asked && !can)
            {
                throw new TaskRejectedException($"{field}: this node cannot limit that: cgroups {welcome.CgroupText}");
            }
        }
    }

    public Task StartAsync(CancellationToken cancellationToken) =>
        SupervisorErrors.TranslateAsync(() => _supervisor.StartAsync(Request(), cancellationToken));

    public async Task WaitAsync(CancellationToken cancellationToken)
    {
        var end = await SupervisorErrors.TranslateAsync(() => _supervisor.WaitForEndAsync(_task.Id, cancellationToken))
            ?? throw new TaskExitedException(
                TaskReport.UnknownExitCode, "nothing is left of it on this node: the machine was restarted, or the state directory emptied");
        if (end.ExitCode != 0)
        {
            throw new TaskExitedException(end.ExitCode, Cause(end), StatusOf(end));
        }
    }

    public Task ShutdownAsync(CancellationToken cancellationToken) => StopAsync(0, -1, cancellationToken);

    public Task TerminateAsync(CancellationToken cancellationToken) => StopAsync(9, 0, cancellationToken);

    public async Task RemoveAsync(CancellationToken cancellationToken)
    {
        if (_supervisor.MayKnowTasks)
        {
            await SupervisorErrors.TranslateAsync(() => _supervisor.RemoveAsync(_task.Id, cancellationToken));
        }
    }

    public async Task<ContainerStatus?> GetContainerStatusAsync(CancellationToken cancellationToken) =>
        _supervisor.MayKnowTasks && await SupervisorErrors.TranslateAsync(() => _supervisor.FindAsync(_task.Id, cancellationToken)) is { } report
            ? StatusOf(report)
            : null;

    public Task<PortStatus?> GetPortStatusAsync(CancellationToken cancellationToken)
    {
        var ports = ProcessRequest.HostPorts(_task);
        return Task.FromResult(ports.Count == 0 ? null : new PortStatus { Ports = { ports } });
    }

    /// <summary>It has the machine's own network.</summary>
    public Task<IPAddress?> GetAddressAsync(CancellationToken cancellationToken) => Task.FromResult<IPAddress?>(IPAddress.Loopback);

    public async Task LogsAsync(
        LogSubscriptionOptions options, Func<LogMessage, CancellationToken, ValueTask> publish, CancellationToken cancellationToken)
    {
        var request = new LogRequest(
            _task.Id,
            Stdout: options.Streams.Count == 0 || options.Streams.Contains(LogStream.Stdout),
            Stderr: options.Streams.Count == 0 || options.Streams.Contains(LogStream.Stderr),
            SinceUnixNs: options.Since is { } since ? (since.Seconds * 1_000_000_000) + since.Nanos : 0,
            Tail: options.Tail < 0 ? -options.Tail - 1 : -1,
            Follow: options.Follow);
        var toSkip = Math.Max(0, options.Tail);
        while (_supervisor.MayKnowTasks)
        {
            var lastNs = request.SinceUnixNs - 1;
            try
            {
                await foreach (var entry in _supervisor.ReadLogAsync(request, cancellationToken))
                {
                    lastNs = entry.UnixNs;
                    if (--toSkip < 0)
                    {
                        await publish(MessageOf(entry), cancellationToken);
                    }
                }
                return;
            }
            catch (SupervisorException e) when (e.Code == ReplyCode.NotFound)
            {
                return;
            }
            catch (SupervisorGoneException)
            {
                // The next one goes on where this one ended.
                request = request with { SinceUnixNs = lastNs + 1, Tail = lastNs >= request.SinceUnixNs ? -1 : request.Tail };
            }
            catch (Exception e) when (e is SupervisorUnavailableException or WireException)
            {
                throw new TaskTemporaryException($"supervisor: {e.Message}", e);
            }
        }
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static LogMessage MessageOf(LogEntry entry) => new()
    {
        Timestamp = new Timestamp
        {
            Seconds = entry.UnixNs / 1_000_000_000,
            Nanos = (int)(entry.UnixNs % 1_000_000_000),
        },
        Stream = entry.Stderr ? LogStream.Stderr : LogStream.Stdout,
        Data = UnsafeByteOperations.UnsafeWrap(entry.Data),
    };

    private static string Cause(TaskReport end) =>
        end.OomKilled ? "out of memory: it needed more than its memory limit"
        : end.Error.Length > 0 ? end.Error
        : end.Signal > 0 ? $"killed by {Signals.NameOf(end.Signal)}"
        : "";

    private ContainerStatus StatusOf(TaskReport report) =>
        new() { ContainerId = _task.Id, Pid = report.Pid, ExitCode = report.ExitCode };

    private StartRequest Request() => ProcessRequest.Make(_task, _dependencies, _options, HostUsers.OfMachine);

    private async Task StopAsync(int signal, long graceMs, CancellationToken cancellationToken)
    {
        if (_supervisor.MayKnowTasks)
        {
            await SupervisorErrors.TranslateAsync(async () =>
            {
                await _supervisor.StopAsync(_task.Id, signal, graceMs, cancellationToken);
                await _supervisor.WaitForEndAsync(_task.Id, cancellationToken);
            });
        }
    }
}
