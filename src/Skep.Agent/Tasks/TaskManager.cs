using Docker.Swarmkit.V1;
using Google.Protobuf.WellKnownTypes;
using Microsoft.Extensions.Logging;
using Skep.Agent.Executors;

namespace Skep.Agent.Tasks;

/// <summary>
/// Brings one task to its desired state and keeps watch over it. An update interrupts the step under way; the next one
/// starts from the status reached.
/// </summary>
internal sealed class TaskManager : IDisposable
{
    private static readonly TimeSpan FirstDelay = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan MaxDelay = TimeSpan.FromSeconds(15);

    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly IController? _controller;
    private readonly Func<TaskManager, TaskStatus, ValueTask> _moved;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Task _running;
    private SwarmTask _task;
    private string _note = "";
    private bool _updated;
    private CancellationTokenSource? _step;
    private TaskCompletionSource _woken = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Starts to manage the task.</summary>
    /// <param name="task">The task with the status to start from; owned by the manager from now on.</param>
    /// <param name="controller">What drives it; null when no executor took it, which its status says.</param>
    /// <param name="moved">Told every new status, before the next step is taken.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Says what happens.</param>
    public TaskManager(SwarmTask task, IController? controller, Func<TaskManager, TaskStatus, ValueTask> moved, TimeProvider time, ILogger logger)
    {
        (_task, _controller, _moved, _time, _logger) = (task, controller, moved, time, logger);
        _running = Task.Run(RunAsync);
    }

    /// <summary>The task as it stands; must not be changed.</summary>
    public SwarmTask Current
    {
        get
        {
            lock (_gate)
            {
                return _task;
            }
        }
    }

    public IController? Controller => _controller;

    /// <summary>Takes a newer definition. One that would move the desired state back is not taken.</summary>
    public void Update(SwarmTask task)
    {
        CancellationTokenSource? step;
        lock (_gate)
        {
            if (task.DesiredState < _task.DesiredState || SameButForStatus(task, _task))
            {
                return;
            }

            var next = task.Clone();
            next.Status = _task.Status;
            _task = next;
            _updated = true;
            _woken.TrySetResult();
            step = _step;
        }

        try
        {
            step?.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The step has just ended by itself.
        }
    }

    /// <summary>Says something about the running task beside its state, such as a port that could not be opened; empty when all is well again.</summary>
    public async ValueTask NoteAsync(string note)
    {
        TaskStatus status;
        lock (_gate)
        {
            if (_note == note)
            {
                return;
            }

            _note = note;
            if (_task.Status.State != TaskState.Running)
            {
                return;
            }

            status = _task.Status.Clone();
            status.Err = note;
            status.Timestamp = Timestamp.FromDateTimeOffset(_time.GetUtcNow());
            SetStatus(status);
        }

        await _moved(this, status);
    }

    /// <summary>Stops managing; the task goes on by itself.</summary>
    public async Task CloseAsync()
    {
        await EndAsync();
        if (_controller is not null)
        {
            await _controller.DisposeAsync();
        }

        Dispose();
    }

    /// <summary>Stops managing and removes all there is of the task, however often that takes.</summary>
    public async Task RemoveAsync(CancellationToken cancellationToken)
    {
        await EndAsync();
        if (_controller is null)
        {
            return;
        }

        for (var failures = 0; ; failures++)
        {
            try
            {
                await _controller.RemoveAsync(cancellationToken);
                break;
            }
            catch (Exception e) when (!cancellationToken.IsCancellationRequested)
            {
                TaskLog.RemoveFailed(_logger, _task.Id, e.Message, Delay(failures).TotalMilliseconds);
                await Task.Delay(Delay(failures), _time, cancellationToken);
            }
        }

        await _controller.DisposeAsync();
        Dispose();
    }

    public void Dispose() => _stopping.Dispose();

    private static TimeSpan Delay(int failures)
    {
        var delay = FirstDelay * Math.Pow(2, Math.Min(failures, 10));
        return delay < MaxDelay ? delay : MaxDelay;
    }

    private static bool SameButForStatus(SwarmTask a, SwarmTask b)
    {
        var (x, y) = (a.Clone(), b.Clone());
        (x.Status, y.Status, x.Meta, y.Meta) = (null, null, null, null);
        return x.Equals(y);
    }

    private async Task EndAsync()
    {
        await _stopping.CancelAsync();
        await _running;
    }

    private async Task RunAsync()
    {
        if (_controller is null)
        {
            return;
        }

        var failures = 0;
        while (!_stopping.IsCancellationRequested)
        {
            using var step = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token);
            SwarmTask task;
            bool updated;
            lock (_gate)
            {
                (task, updated, _updated, _step) = (_task, _updated, false, step);
                if (_woken.Task.IsCompleted)
                {
                    _woken = new(TaskCreationOptions.RunContinuationsAsynchronously);
                }
            }

            try
            {
                if (updated)
                {
                    await _controller.UpdateAsync(task, step.Token);
                }

                var (status, outcome) = await TaskStep.TakeAsync(task, _controller, _time, step.Token);
                await AcceptAsync(task, status, outcome);
                failures = outcome == StepOutcome.Retry ? failures + 1 : 0;
                if (outcome != StepOutcome.Moved)
                {
                    await PauseAsync(outcome == StepOutcome.Idle ? null : Delay(failures - 1), status);
                }
            }
            catch (OperationCanceledException) when (step.IsCancellationRequested)
            {
                failures = 0;
            }
            catch (Exception e)
            {
                // A defect or a full disk; the task must not be left without anyone who looks after it.
                TaskLog.ManagerFailed(_logger, task.Id, e.Message);
                await PauseAsync(Delay(failures++), null);
            }
            finally
            {
                lock (_gate)
                {
                    _step = null;
                }
            }
        }
    }

    private async Task AcceptAsync(SwarmTask before, TaskStatus status, StepOutcome outcome)
    {
        var from = before.Status;
        if (outcome == StepOutcome.Idle || (outcome == StepOutcome.Retry && from.Err == status.Err))
        {
            return;
        }

        lock (_gate)
        {
            if (status.State == TaskState.Running && status.Err.Length == 0)
            {
                status.Err = _note;
            }

            SetStatus(status);
        }

        TaskLog.Moved(_logger, before.Id, from.State, status.State, status.Message);
        if (status.State is TaskState.Failed or TaskState.Rejected)
        {
            TaskLog.Ended(_logger, before.Id, status.State, status.Err);
        }

        await _moved(this, status);
    }

    private async Task PauseAsync(TimeSpan? delay, TaskStatus? why)
    {
        Task woken;
        lock (_gate)
        {
            woken = _woken.Task;
        }

        if (delay is { } length)
        {
            if (why is not null)
            {
                TaskLog.Retrying(_logger, _task.Id, why.State, why.Err, length.TotalMilliseconds);
            }

            using var timer = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token);
            await Task.WhenAny(woken, Task.Delay(length, _time, timer.Token));
            await timer.CancelAsync();
        }
        else
        {
            await Task.WhenAny(woken, Task.Delay(Timeout.Infinite, _stopping.Token));
        }
    }

    // A task is never changed in place: others may be reading it.
    private void SetStatus(TaskStatus status)
    {
        var next = _task.Clone();
        next.Status = status;
        _task = next;
    }
}
