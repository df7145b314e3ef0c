using Docker.Swarmkit.V1;
using Google.Protobuf.WellKnownTypes;
using Skep.Agent.Executors;

namespace Skep.Agent.Tasks;

/// <summary>What a step led to.</summary>
internal enum StepOutcome
{
    /// <summary>The status moved; there may be more to do.</summary>
    Moved,

    /// <summary>Nothing to do until the task is updated.</summary>
    Idle,

    /// <summary>It did not work this time.</summary>
    Retry,
}

/// <summary>
/// One step of a task towards its desired state: which call of the controller comes next and what its end means. Source of
/// states and messages: moby/swarmkit agent/exec/controller.go.
/// </summary>
internal static class TaskStep
{
    /// <summary>Takes the step and returns the status after it, a new object. Only the token's cancellation is thrown.</summary>
    public static async Task<(TaskStatus Status, StepOutcome Outcome)> TakeAsync(
        SwarmTask task, IController controller, TimeProvider time, CancellationToken cancellationToken)
    {
        var state = task.Status.State;
        var desired = task.DesiredState;
        try
        {
            // The agent goes no further than SHUTDOWN, whatever more is desired.
            if (desired >= TaskState.Shutdown)
            {
                if (state >= TaskState.Complete)
                {
                    return Idle();
                }

                await controller.ShutdownAsync(cancellationToken);
                return await ToAsync(TaskState.Shutdown, "shutdown");
            }

            if (state > desired)
            {
                return Idle();
            }

            // These go on even where the desired state is reached: they finish what was begun.
            switch (state)
            {
                case TaskState.Preparing:
                    await controller.PrepareAsync(cancellationToken);
                    return await ToAsync(TaskState.Ready, "prepared");
                case TaskState.Starting:
                    await controller.StartAsync(cancellationToken);
                    return await ToAsync(TaskState.Running, "started");
                case TaskState.Running:
                    await controller.WaitAsync(cancellationToken);
                    return await ToAsync(TaskState.Complete, "finished");
            }

            if (state >= desired)
            {
                return Idle();
            }

            return state switch
            {
                TaskState.New or TaskState.Pending or TaskState.Assigned => await ToAsync(TaskState.Accepted, "accepted"),
                TaskState.Accepted => await ToAsync(TaskState.Preparing, "preparing"),
                TaskState.Ready => await ToAsync(TaskState.Starting, "starting"),
                _ => Idle(),
            };
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw;
        }
        catch (TaskTemporaryException e)
        {
            var status = task.Status.Clone();
            status.Err = e.Message;
            return (status, StepOutcome.Retry);
        }
        catch (Exception e)
        {
            return (await EndedAsync(task, controller, e, time, cancellationToken), StepOutcome.Moved);
        }

        (TaskStatus, StepOutcome) Idle() => (task.Status, StepOutcome.Idle);

        async Task<(TaskStatus, StepOutcome)> ToAsync(TaskState next, string message)
        {
            var status = task.Status.Clone();
            status.State = next;
            status.Message = message;
            status.Err = "";
            status.Timestamp = Timestamp.FromDateTimeOffset(time.GetUtcNow());
            await AddRuntimeAsync(status, controller, null, cancellationToken);
            return (status, StepOutcome.Moved);
        }
    }

    private static async Task<TaskStatus> EndedAsync(
        SwarmTask task, IController controller, Exception e, TimeProvider time, CancellationToken cancellationToken)
    {
        var status = task.Status.Clone();
        status.State = status.State < TaskState.Starting ? TaskState.Rejected : TaskState.Failed;
        status.Err = e.Message;
        status.Timestamp = Timestamp.FromDateTimeOffset(time.GetUtcNow());
        var exit = e as TaskExitedException;
        await AddRuntimeAsync(status, controller, exit?.Status, cancellationToken);
        if (exit is not null)
        {
            status.Container ??= new ContainerStatus();
            status.Container.ExitCode = exit.ExitCode;
        }

        return status;
    }

    private static async Task AddRuntimeAsync(
        TaskStatus status, IController controller, ContainerStatus? known, CancellationToken cancellationToken)
    {
        // Before it runs there is nothing to tell, and a task that never ran has nothing.
        if (status.State < TaskState.Running || status.State == TaskState.Rejected)
        {
            return;
        }

        try
        {
            status.Container = known ?? await controller.GetContainerStatusAsync(cancellationToken) ?? status.Container ?? new ContainerStatus();
            if (status.State == TaskState.Running)
            {
                status.PortStatus = await controller.GetPortStatusAsync(cancellationToken);
            }
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            // Where the task stands is worth more than what its container looks like; that is kept as it was.
            status.Container ??= new ContainerStatus();
        }
    }
}
