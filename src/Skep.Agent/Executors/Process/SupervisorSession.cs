using Skep.Supervisor.Protocol;

namespace Skep.Agent.Executors.Process;

/// <summary>One connection to the supervisor: what is asked on it, and what it tells of the tasks.</summary>
internal sealed class SupervisorSession : IAsyncDisposable
{
    private readonly FrameStream _frames;
    private readonly Task _reading;
    private readonly Lock _lock = new();
    private readonly Dictionary<uint, TaskCompletionSource<(ReplyCode, string)>> _pending = [];
    private readonly Dictionary<string, TaskReport> _reports = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<TaskCompletionSource<TaskReport?>>> _waiting = new(StringComparer.Ordinal);
    private readonly TaskCompletionSource _snapshot = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private uint _lastId;
    private bool _closed;

    private SupervisorSession(FrameStream frames, Welcome welcome)
    {
        (_frames, Welcome) = (frames, welcome);
        _reading = Task.Run(ReadAsync);
    }

    public Welcome Welcome { get; }

    public bool IsClosed
    {
        get
        {
            lock (_lock)
            {
                return _closed;
            }
        }
    }

    /// <summary>Greets on a connection and waits until all tasks are known.</summary>
    public static async Task<SupervisorSession> OpenAsync(FrameStream frames, CancellationToken ct)
    {
        SupervisorSession session;
        try
        {
            session = new SupervisorSession(frames, await frames.GreetAsync(watch: true, ct));
        }
        catch
        {
            frames.Dispose();
            throw;
        }
        try
        {
            await session._snapshot.Task.WaitAsync(ct);
            return session;
        }
        catch
        {
            await session.DisposeAsync();
            throw;
        }
    }

    /// <summary>What is known of a task; null if the supervisor does not know it.</summary>
    public TaskReport? Find(string taskId)
    {
        lock (_lock)
        {
            return _reports.GetValueOrDefault(taskId);
        }
    }

    /// <summary>All tasks the supervisor knows.</summary>
    public IReadOnlyList<TaskReport> All()
    {
        lock (_lock)
        {
            return [.. _reports.Values];
        }
    }

    /// <summary>Waits for a task's end. Null if the supervisor does not know it (any more).</summary>
    /// <exception cref="SupervisorGoneException">The connection ended first.</exception>
    public async Task<TaskReport?> WaitForEndAsync(string taskId, CancellationToken ct)
    {
        TaskCompletionSource<TaskReport?> end;
        lock (_lock)
        {
            if (_closed)
            {
                throw new SupervisorGoneException();
            }
            if (_reports.GetValueOrDefault(taskId) is not { Phase: not TaskPhase.Exited } report)
            {
                return _reports.GetValueOrDefault(taskId);
            }
            end = new TaskCompletionSource<TaskReport?>(TaskCreationOptions.RunContinuationsAsynchronously);
            if (!_waiting.TryGetValue(report.TaskId, out var list))
            {
                _waiting[report.TaskId] = list = [];
            }
            list.Add(end);
        }
        try
        {
            return await end.Task.WaitAsync(ct);
        }
        finally
        {
            lock (_lock)
            {
                if (_waiting.TryGetValue(taskId, out var list) && list.Remove(end) && list.Count == 0)
                {
                    _waiting.Remove(taskId);
                }
            }
        }
    }

    /// <summary>Asks and waits for the answer.</summary>
    /// <exception cref="SupervisorException">It was refused.</exception>
    /// <exception cref="SupervisorGoneException">The connection ended before the answer.</exception>
    public async Task AskAsync(FrameKind kind, Action<WireWriter> payload, CancellationToken ct)
    {
        var reply = new TaskCompletionSource<(ReplyCode, string)>(TaskCreationOptions.RunContinuationsAsynchronously);
        uint id;
        lock (_lock)
        {
            if (_closed)
            {
                throw new SupervisorGoneException();
            }
            id = ++_lastId == 0 ? ++_lastId : _lastId;
            _pending[id] = reply;
        }
        try
        {
            await _frames.WriteAsync(kind, id, payload, ct);
            var (code, message) = await reply.Task.WaitAsync(ct);
            if (code != ReplyCode.Ok)
            {
                throw new SupervisorException(code, message);
            }
        }
        finally
        {
            lock (_lock)
            {
                _pending.Remove(id);
            }
        }
    }

    /// <summary>Forgets a task the supervisor has forgotten.</summary>
    public void Forget(string taskId)
    {
        lock (_lock)
        {
            _reports.Remove(taskId);
            if (_waiting.Remove(taskId, out var waiting))
            {
                waiting.ForEach(end => end.TrySetResult(null));
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        _frames.Dispose();
        await _reading;
    }

    private async Task ReadAsync()
    {
        try
        {
            while (await _frames.ReadAsync(CancellationToken.None) is { } frame)
            {
                Take(frame);
            }
        }
        catch (WireException)
        {
            // Not what we speak: the connection is of no use.
        }
        _frames.Dispose();
        lock (_lock)
        {
            _closed = true;
            foreach (var reply in _pending.Values)
            {
                reply.TrySetException(new SupervisorGoneException());
            }
            foreach (var waiting in _waiting.Values)
            {
                waiting.ForEach(end => end.TrySetException(new SupervisorGoneException()));
            }
            _snapshot.TrySetException(new SupervisorGoneException());
            _ = _snapshot.Task.Exception;
        }
    }

    private void Take(Frame frame)
    {
        var r = new WireReader(frame.Payload.Span);
        switch (frame.Kind)
        {
            case FrameKind.Reply:
                var (code, message) = ((ReplyCode)r.U8(), r.Text());
                lock (_lock)
                {
                    _pending.GetValueOrDefault(frame.RequestId)?.TrySetResult((code, message));
                }
                break;
            case FrameKind.TaskState:
                var report = TaskReport.Read(ref r);
                lock (_lock)
                {
                    _reports[report.TaskId] = report;
                    if (report.Phase == TaskPhase.Exited && _waiting.Remove(report.TaskId, out var waiting))
                    {
                        waiting.ForEach(end => end.TrySetResult(report));
                    }
                }
                break;
            case FrameKind.SnapshotEnd:
                _snapshot.TrySetResult();
                break;
            default:
                throw new WireException($"frame kind {frame.Kind} was not asked for");
        }
    }
}
