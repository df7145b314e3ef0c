using Docker.Swarmkit.V1;
using Google.Protobuf.WellKnownTypes;
using Microsoft.Extensions.Logging.Abstractions;
using Skep.Agent.Executors;
using Skep.Agent.Tasks;
using Skep.TestEngine;
using static Skep.Agent.Tests.Executors.Docker.DockerRun;

namespace Skep.Agent.Tests.Executors.Docker;

/// <summary>The engine goes and comes back while tasks run on it. It has an engine of its own, since others would fall with it.</summary>
public sealed class EngineRestartTests : IDisposable
{
    private readonly List<(TaskState State, string Err)> _moves = [];
    private readonly SemaphoreSlim _moved = new(0);

    public void Dispose() => _moved.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_running_task_is_found_ended_when_the_engine_is_back(bool killed)
    {
        await using var engine = await EngineAsync();
        await using var run = new DockerRun(engine);
        var task = Shell("trap 'exit 7' TERM; while :; do sleep 0.1; done");
        using var manager = Manage(run, task);
        await UntilAsync(TaskState.Running);
        await (killed ? engine.KillAsync() : engine.StopAsync());
        await engine.StartAgainAsync();
        await UntilAsync(TaskState.Failed);
        Assert.Single(await engine.ContainersAsync());
        await manager.RemoveAsync(Within());
        Assert.Empty(await engine.ContainersAsync());
    }

    [Fact]
    public async Task A_task_given_while_the_engine_is_away_waits_for_it_and_runs_once()
    {
        await using var engine = await EngineAsync();
        await using var run = new DockerRun(engine);
        await engine.KillAsync();
        using var manager = Manage(run, Shell("sleep 1000"));
        await UntilAsync(m => m.State == TaskState.Preparing && m.Err.Contains("does not answer", StringComparison.Ordinal));
        await engine.StartAgainAsync();
        await UntilAsync(TaskState.Running);
        Assert.Single(await engine.ContainersAsync());
        await manager.RemoveAsync(Within());
    }

    private static async Task<DockerEngine> EngineAsync()
    {
        if (DockerEngine.WhyNot is { } why)
        {
            Assert.Skip(why);
        }

        return await DockerEngine.StartAsync();
    }

    private TaskManager Manage(DockerRun run, SwarmTask task)
    {
        task.Status.State = TaskState.Accepted;
        task.Status.Timestamp = new Timestamp();
        return new TaskManager(task, run.Controller(task), OnMovedAsync, TimeProvider.System, NullLogger.Instance);
    }

    private ValueTask OnMovedAsync(TaskManager manager, TaskStatus status)
    {
        lock (_moves)
        {
            _moves.Add((status.State, status.Err));
        }

        _moved.Release();
        return ValueTask.CompletedTask;
    }

    private Task UntilAsync(TaskState state) => UntilAsync(m => m.State == state);

    private async Task UntilAsync(Func<(TaskState State, string Err), bool> wanted)
    {
        while (true)
        {
            lock (_moves)
            {
                if (_moves.Any(wanted))
                {
                    return;
                }
            }

            Assert.True(await _moved.WaitAsync(TimeSpan.FromSeconds(60)), $"the task stayed at {string.Join(", ", _moves)}");
        }
    }
}
