using System.Net;
using Docker.DotNet.Models;
using Docker.Swarmkit.V1;
using Skep.Agent.Tasks;
using ContainerStatus = Docker.Swarmkit.V1.ContainerStatus;
using PortStatus = Docker.Swarmkit.V1.PortStatus;

namespace Skep.Agent.Executors.Docker;

/// <summary>
/// Drives a task as a container of the engine, which it always finds by its name: no two tasks have the same one, so
/// whatever was done in an earlier life is found, and nothing is made twice. Source: moby/moby
/// daemon/cluster/executor/container/controller.go.
/// </summary>
internal sealed class DockerController(SwarmTask task, ITaskDependencies dependencies, EngineServices services) : IController, IReachableController
{
    private static readonly TimeSpan DefaultGrace = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LookAnyway = TimeSpan.FromSeconds(60);

    private readonly string _name = TaskParts.Name(task);
    private readonly Pulse _pulse = services.Events.Watch(task.Id);

    // The last look at the container.
    private volatile Look? _seen;

    // The making of the container that was asked for last.
    private volatile Task _creating = Task.CompletedTask;

    private EngineClient Engine => services.Engine;

    public Task UpdateAsync(SwarmTask task, CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task PrepareAsync(CancellationToken cancellationToken)
    {
        var request = ContainerRequest.Of(
            task, services.Options.StateDirectory, services.Files.Mounts(task), await Engine.VersionAsync(cancellationToken));
        await WriteFilesAsync(cancellationToken);
        var pulled = await services.Pulls.PullAsync(request.Image, task.Spec.Container.PullOptions?.RegistryAuth ?? "", cancellationToken);
        CreateContainerResponse made;
        try
        {
            // Never broken off: the engine would carry it out all the same, and whoever removes the task meanwhile would find nothing yet.
            var creating = Engine.CallAsync((c, token) => c.Containers.CreateContainerAsync(request, token), CancellationToken.None);
            _creating = creating;
            made = await creating.WaitAsync(cancellationToken);
        }
        catch (EngineException e)
        {
            if (e.StatusCode == HttpStatusCode.Conflict)
            {
                // The name is taken before the container can be seen: an attempt that was broken off is still being carried out.
                if ((await LookAsync(cancellationToken)).Container is not { } there)
                {
                    throw new TaskTemporaryException(e.Message, e);
                }

                if (IsOurs(there))
                {
                    return;
                }
            }

            services.Files.Remove(task.Id);
            throw new TaskRejectedException(
                e.StatusCode == HttpStatusCode.NotFound && pulled is not null ? $"{e.Message} (pulling it failed: {pulled})" : e.Message, e);
        }

        await CheckWarningsAsync(made, cancellationToken);
    }

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (TaskFiles.Any(task))
        {
            // The memory they were in may be gone with the machine's former life.
            await WriteFilesAsync(cancellationToken);
        }

        try
        {
            await Engine.CallAsync((c, token) => c.Containers.StartContainerAsync(_name, new ContainerStartParameters(), token), cancellationToken);
        }
        catch (EngineException e)
        {
            throw new TaskRejectedException($"starting container failed: {e.Message}", e);
        }

        while (true)
        {
            var look = await LookAsync(cancellationToken);
            var container = look.Container ?? throw new TaskRejectedException("the container was removed while it was starting");
            if (!container.State!.Running || !HasHealthcheck(container))
            {
                // One that has ended already is left to the wait, which says how.
                return;
            }

            switch (container.State!.Health?.Status)
            {
                case "healthy":
                    return;
                case "unhealthy":
                    await ShutdownAsync(cancellationToken);
                    throw new TaskRejectedException("unhealthy container");
            }

            await NextAsync(look, cancellationToken);
        }
    }

    public async Task WaitAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var look = await RecentAsync(cancellationToken);
            if (look.Container is not { } container)
            {
                throw new TaskRejectedException("the container was removed");
            }

            if (!container.State!.Running && container.State!.Status is not ("created" or "restarting" or "paused"))
            {
                var code = (int)container.State!.ExitCode;
                if (code == 0)
                {
                    return;
                }

                var cause = container.State!.OOMKilled ? "out of memory" : container.State!.Error;
                throw new TaskExitedException(code, cause, StatusOf(container));
            }

            if (container.State!.Health?.Status == "unhealthy")
            {
                await ShutdownAsync(cancellationToken);
                throw new TaskRejectedException("unhealthy container");
            }

            await NextAsync(look, cancellationToken);
            _seen = null;
        }
    }

    public async Task ShutdownAsync(CancellationToken cancellationToken)
    {
        // However it ended: what it made is found by its name.
        await _creating.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellationToken.ThrowIfCancellationRequested();
        var grace = task.Spec.Container.StopGracePeriod?.ToTimeSpan() ?? DefaultGrace;
        var seconds = (uint)Math.Ceiling(Math.Clamp(grace.TotalSeconds, 0, int.MaxValue / 2));
        try
        {
            // Outside the bounded requests: many tasks may take their time to end.
            await Engine.CallUnboundedAsync(
                (c, token) => c.Containers.StopContainerAsync(_name, new ContainerStopParameters { WaitBeforeKillSeconds = seconds }, token),
                TimeSpan.FromSeconds(seconds) + EngineClient.RequestTimeout,
                cancellationToken);
        }
        catch (EngineException e) when (e.StatusCode is HttpStatusCode.NotFound)
        {
            // Never made, or gone.
        }

        _seen = null;
    }

    public async Task TerminateAsync(CancellationToken cancellationToken)
    {
        try
        {
            await Engine.CallAsync((c, token) => c.Containers.KillContainerAsync(_name, new ContainerKillParameters { Signal = "KILL" }, token), cancellationToken);
        }
        catch (EngineException e) when (e.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.Conflict)
        {
            // Gone, or not running.
        }

        while (await LookAsync(cancellationToken) is { Container.State.Running: true } look)
        {
            await NextAsync(look, cancellationToken);
        }
    }

    public async Task RemoveAsync(CancellationToken cancellationToken)
    {
        await ShutdownAsync(cancellationToken);
        try
        {
            await Engine.CallAsync(
                (c, token) => c.Containers.RemoveContainerAsync(_name, new ContainerRemoveParameters { RemoveVolumes = true, Force = true }, token),
                cancellationToken);
        }
        catch (EngineException e) when (e.StatusCode == HttpStatusCode.NotFound)
        {
            // There is none.
        }
        catch (EngineException e) when (e.StatusCode == HttpStatusCode.Conflict)
        {
            throw new TaskTemporaryException(e.Message, e);
        }

        services.Files.Remove(task.Id);
    }

    public async Task<ContainerStatus?> GetContainerStatusAsync(CancellationToken cancellationToken) =>
        (await RecentAsync(cancellationToken)).Container is { } container ? StatusOf(container) : null;

    public async Task<PortStatus?> GetPortStatusAsync(CancellationToken cancellationToken) =>
        (await RecentAsync(cancellationToken)).Container is { } container ? ContainerPorts.Status(container) : null;

    public async Task<IPAddress?> GetAddressAsync(CancellationToken cancellationToken)
    {
        if ((await RecentAsync(cancellationToken)).Container is not { State.Running: true } container)
        {
            return null;
        }

        if (container.HostConfig?.NetworkMode == "host")
        {
            return IPAddress.Loopback;
        }

        foreach (var endpoint in container.NetworkSettings?.Networks?.Values ?? [])
        {
            if (IPAddress.TryParse(endpoint.IPAddress, out var four))
            {
                return four;
            }

            if (IPAddress.TryParse(endpoint.GlobalIPv6Address, out var six))
            {
                return six;
            }
        }

        return null;
    }

    public async Task LogsAsync(
        LogSubscriptionOptions options, Func<LogMessage, CancellationToken, ValueTask> publish, CancellationToken cancellationToken)
    {
        ContainerInspectResponse? container;
        while (true)
        {
            var look = await LookAsync(cancellationToken);
            container = look.Container;
            if (container is not null && container.State!.Status != "created")
            {
                break;
            }

            if (!options.Follow)
            {
                return;
            }

            await NextAsync(look, cancellationToken);
        }

        await new ContainerLog(Engine, _name, container.Config!.Tty).ReadAsync(options, publish, cancellationToken);
    }

    public ValueTask DisposeAsync()
    {
        services.Events.Forget(task.Id);
        return ValueTask.CompletedTask;
    }

    private static bool HasHealthcheck(ContainerInspectResponse container) =>
        container.Config?.Healthcheck?.Test is { Count: > 0 } test && test[0] != "NONE";

    private static ContainerStatus StatusOf(ContainerInspectResponse container) => new()
    {
        ContainerId = container.ID,
        Pid = (int)container.State!.Pid,
        ExitCode = (int)container.State!.ExitCode,
    };

    private async Task WriteFilesAsync(CancellationToken cancellationToken)
    {
        if (!TaskFiles.Any(task))
        {
            return;
        }

        if (await EngineNeighbour.WhyNotSharedAsync(services.Options.Socket, cancellationToken) is { } why)
        {
            throw new TaskRejectedException($"secrets and configs: the engine does not see this node's files, since {why}; run both in one mount namespace");
        }

        services.Files.Write(task, dependencies);
    }

    // What the engine cannot do it drops with a warning; a task that asked for it must not run without.
    private async Task CheckWarningsAsync(CreateContainerResponse made, CancellationToken cancellationToken)
    {
        foreach (var warning in made.Warnings ?? [])
        {
            DockerLog.CreateWarning(services.Logger, _name, warning);
            if (warning.Contains("discarded", StringComparison.OrdinalIgnoreCase))
            {
                await RemoveAsync(cancellationToken);
                throw new TaskRejectedException(warning);
            }
        }
    }

    private bool IsOurs(ContainerInspectResponse container) =>
        container.Config?.Labels is { } labels && labels.TryGetValue(ContainerLabels.TaskId, out var id) && id == task.Id;

    private Task NextAsync(Look look, CancellationToken cancellationToken) =>
        _pulse.NextAsync(look.Beats, LookAnyway, services.Options.Time, cancellationToken);

    private async Task<Look> RecentAsync(CancellationToken cancellationToken) =>
        _seen is { } seen && seen.Beats == _pulse.Count ? seen : await LookAsync(cancellationToken);

    private async Task<Look> LookAsync(CancellationToken cancellationToken)
    {
        var beats = _pulse.Count;
        ContainerInspectResponse? container = null;
        try
        {
            container = await Engine.CallAsync((c, token) => c.Containers.InspectContainerAsync(_name, token), cancellationToken);
        }
        catch (EngineException e) when (e.StatusCode == HttpStatusCode.NotFound)
        {
            // Not made yet, or removed.
        }

        var look = new Look(container, beats);
        _seen = look;
        return look;
    }

    /// <summary>The container as it was seen, and how often its pulse had beaten by then.</summary>
    private sealed record Look(ContainerInspectResponse? Container, int Beats);
}
