using Docker.Swarmkit.V1;

namespace Skep.Agent.Tasks;

/// <summary>
/// What the managers have yet to be told: the latest status of each task, kept until one of them has acknowledged it, over
/// as many sessions as that takes. No more than one entry a task, so it is as bounded as the tasks are.
/// </summary>
internal sealed class StatusReports
{
    /// <summary>The most that goes out in one request. Source: moby/swarmkit agent/session.go.</summary>
    public const int MaxBatch = 1024;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, TaskStatus> _pending = new(StringComparer.Ordinal);
    private TaskCompletionSource _arrived = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>How many tasks have something to report.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _pending.Count;
            }
        }
    }

    /// <summary>
    /// Puts a status in place of the one that is waiting, unless that is further on: who reports again what it saw a moment
    /// ago must not undo what came since. The status must not be changed afterwards.
    /// </summary>
    public void Put(string taskId, TaskStatus status)
    {
        lock (_gate)
        {
            if (_pending.TryGetValue(taskId, out var waiting) && waiting.State > status.State)
            {
                return;
            }

            _pending[taskId] = status;
            _arrived.TrySetResult();
        }
    }

    /// <summary>Forgets a task that was taken away: nobody asks for its status any more.</summary>
    public void Forget(string taskId)
    {
        lock (_gate)
        {
            _pending.Remove(taskId);
        }
    }

    /// <summary>Waits until there is something to report and returns up to <see cref="MaxBatch"/> of it; all of it stays.</summary>
    public async Task<IReadOnlyList<KeyValuePair<string, TaskStatus>>> NextBatchAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            Task arrived;
            lock (_gate)
            {
                if (_pending.Count > 0)
                {
                    return [.. _pending.Take(MaxBatch)];
                }

                if (_arrived.Task.IsCompleted)
                {
                    _arrived = new(TaskCreationOptions.RunContinuationsAsynchronously);
                }

                arrived = _arrived.Task;
            }

            await arrived.WaitAsync(cancellationToken);
        }
    }

    /// <summary>Lets go of what a manager has taken; what became of a task since then stays.</summary>
    public void Acknowledge(IEnumerable<KeyValuePair<string, TaskStatus>> batch)
    {
        lock (_gate)
        {
            foreach (var (taskId, status) in batch)
            {
                if (_pending.TryGetValue(taskId, out var now) && ReferenceEquals(now, status))
                {
                    _pending.Remove(taskId);
                }
            }
        }
    }
}
