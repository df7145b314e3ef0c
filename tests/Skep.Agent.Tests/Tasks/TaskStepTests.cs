using Docker.Swarmkit.V1;
using Microsoft.Extensions.Time.Testing;
using Skep.Agent.Executors;
using Skep.Agent.Tasks;
using Skep.Agent.Tests.Support;

namespace Skep.Agent.Tests.Tasks;

public sealed class TaskStepTests
{
    private readonly FakeExecutor _executor = new();

    private async Task<(TaskStatus Status, StepOutcome Outcome)> StepAsync(TaskState state, TaskState desired, Exception? error = null)
    {
        var task = new SwarmTask { Id = "t", Status = new TaskStatus { State = state, Message = "before" }, DesiredState = desired };
        _executor.OnCall = (_, controller, _) =>
        {
            controller.Ending.TrySetResult();
            return error is null ? Task.CompletedTask : Task.FromException(error);
        };
        return await TaskStep.TakeAsync(task, _executor.CreateController(task, null!), new FakeTimeProvider(), CancellationToken.None);
    }

    [Theory]
    [InlineData(TaskState.Assigned, TaskState.Running, TaskState.Accepted, "accepted", "")]
    [InlineData(TaskState.Accepted, TaskState.Running, TaskState.Preparing, "preparing", "")]
    [InlineData(TaskState.Preparing, TaskState.Running, TaskState.Ready, "prepared", "prepare t")]
    [InlineData(TaskState.Ready, TaskState.Running, TaskState.Starting, "starting", "")]
    [InlineData(TaskState.Starting, TaskState.Running, TaskState.Running, "started", "start t")]
    [InlineData(TaskState.Running, TaskState.Running, TaskState.Complete, "finished", "wait t")]
    [InlineData(TaskState.Running, TaskState.Complete, TaskState.Complete, "finished", "wait t")]
    [InlineData(TaskState.Running, TaskState.Shutdown, TaskState.Shutdown, "shutdown", "shutdown t")]
    [InlineData(TaskState.Running, TaskState.Remove, TaskState.Shutdown, "shutdown", "shutdown t")]
    [InlineData(TaskState.Assigned, TaskState.Shutdown, TaskState.Shutdown, "shutdown", "shutdown t")]
    [InlineData(TaskState.Preparing, TaskState.Ready, TaskState.Ready, "prepared", "prepare t")]
    public async Task A_step_leads_on_with_SwarmKits_words(TaskState from, TaskState desired, TaskState to, string message, string call)
    {
        var (status, outcome) = await StepAsync(from, desired);
        Assert.Equal((to, message, StepOutcome.Moved), (status.State, status.Message, outcome));
        Assert.Equal(call.Length > 0 ? [call] : [], _executor.Calls.All);
    }

    [Theory]
    [InlineData(TaskState.Ready, TaskState.Ready)]
    [InlineData(TaskState.Running, TaskState.Ready)]
    [InlineData(TaskState.Accepted, TaskState.Accepted)]
    [InlineData(TaskState.Complete, TaskState.Running)]
    [InlineData(TaskState.Complete, TaskState.Shutdown)]
    [InlineData(TaskState.Failed, TaskState.Shutdown)]
    [InlineData(TaskState.Rejected, TaskState.Remove)]
    public async Task There_is_nothing_to_do_where_the_desired_state_is_reached(TaskState state, TaskState desired)
    {
        var (status, outcome) = await StepAsync(state, desired);
        Assert.Equal((state, StepOutcome.Idle), (status.State, outcome));
        Assert.Empty(_executor.Calls.All);
    }

    [Theory]
    [InlineData(TaskState.Preparing, TaskState.Rejected)]
    [InlineData(TaskState.Starting, TaskState.Failed)]
    [InlineData(TaskState.Running, TaskState.Failed)]
    public async Task An_error_for_good_ends_the_task_by_how_far_it_had_come(TaskState state, TaskState end)
    {
        var (status, outcome) = await StepAsync(state, TaskState.Running, new TaskRejectedException("no such thing"));
        Assert.Equal((end, "before", "no such thing", StepOutcome.Moved), (status.State, status.Message, status.Err, outcome));
    }

    [Fact]
    public async Task An_error_of_the_moment_is_said_and_changes_nothing()
    {
        var (status, outcome) = await StepAsync(TaskState.Preparing, TaskState.Running, new TaskTemporaryException("engine away"));
        Assert.Equal((TaskState.Preparing, "engine away", StepOutcome.Retry), (status.State, status.Err, outcome));
    }

    [Fact]
    public async Task An_exit_has_its_code()
    {
        var (status, _) = await StepAsync(TaskState.Running, TaskState.Running, new TaskExitedException(137, "out of memory"));
        Assert.Equal((TaskState.Failed, "task: non-zero exit (137): out of memory", 137), (status.State, status.Err, status.Container.ExitCode));
    }
}
