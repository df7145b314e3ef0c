using System.Collections.Concurrent;
using Docker.Swarmkit.V1;
using Google.Protobuf.WellKnownTypes;
using Microsoft.Extensions.Logging;
using Skep.Agent.Executors;
using Skep.Agent.Ingress;
using Skep.Agent.Templates;

namespace Skep.Agent.Tasks;

/// <summary>All the node's tasks: what the managers assign is written down, then driven by one manager a task, and what becomes of it is reported.</summary>
internal sealed class Worker : IAsyncDisposable
{
    private static readonly TimeSpan OrphanRetry = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan AddressRetry = TimeSpan.FromSeconds(1);

    private readonly TaskStore _store;
    private readonly IExecutor _executor;
    private readonly StatusReports _reports;
    private readonly Func<NodeDescription?> _node;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly IngressRelay _ingress;
    private readonly AssignedObjects _objects = new();
    private readonly ConcurrentDictionary<string, TaskManager> _managers = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<Task, byte> _background = new();
    private readonly CancellationTokenSource _stopping = new();

    public Worker(
        TaskStore store, IExecutor executor, StatusReports reports, Func<NodeDescription?> node, TimeProvider time, ILogger logger)
    {
        (_store, _executor, _reports, _node, _time, _logger) = (store, executor, reports, node, time, logger);
        _ingress = new IngressRelay(OnPortProblem, new RelayLimits(), time, logger);
    }

    /// <summary>Told every task that is taken on.</summary>
    public event Action<TaskManager>? Added;

    /// <summary>The tasks of this node.</summary>
    public IEnumerable<TaskManager> Managers => _managers.Values;

    /// <summary>Takes the tasks of an earlier life up again, without touching what runs, and has what belongs to none removed.</summary>
    public void Resume()
    {
        foreach (var task in _store.Tasks)
        {
            TakeOn(task.Clone());
        }

        if (_store.Tasks.Count > 0)
        {
            TaskLog.Resumed(_logger, _store.Tasks.Count);
        }

        var known = _store.Tasks.Select(t => t.Id).ToHashSet(StringComparer.Ordinal);
        Run(() => RemoveOrphansAsync(known));
    }

    /// <summary>Does what a message of the managers says. Calls must not overlap.</summary>
    /// <exception cref="IOException">The tasks could not be written down; nothing was done.</exception>
    public async Task ApplyAsync(AssignmentsMessage message, CancellationToken cancellationToken)
    {
        _objects.Apply(message);
        var given = new Dictionary<string, SwarmTask>(StringComparer.Ordinal);
        var removed = new HashSet<string>(StringComparer.Ordinal);
        foreach (var change in message.Changes)
        {
            if (change.Assignment?.Task is not { } task)
            {
                continue;
            }

            if (change.Action == AssignmentChange.Types.AssignmentAction.Update)
            {
                given[task.Id] = task;
                removed.Remove(task.Id);
            }
            else if (!given.Remove(task.Id) || _managers.ContainsKey(task.Id))
            {
                removed.Add(task.Id);
            }
        }

        if (message.Type == AssignmentsMessage.Types.Type.Complete)
        {
            removed = _managers.Keys.Where(id => !given.ContainsKey(id)).ToHashSet(StringComparer.Ordinal);
        }

        await _store.PutAsync(given.Values, removed, cancellationToken);
        foreach (var task in given.Values)
        {
            if (_managers.TryGetValue(task.Id, out var manager))
            {
                Update(manager, task);
            }
            else
            {
                TakeOn(task.Clone());
            }
        }

        foreach (var id in removed)
        {
            Drop(id);
        }
    }

    /// <summary>Removes every task, as a node does that leaves its cluster; returns when nothing of them is left.</summary>
    public async Task RemoveAllAsync(CancellationToken cancellationToken)
    {
        await ApplyAsync(new AssignmentsMessage { Type = AssignmentsMessage.Types.Type.Complete }, cancellationToken);
        await Task.WhenAll(_background.Keys).WaitAsync(cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await Task.WhenAll(_managers.Values.Select(m => m.CloseAsync()));
        await Task.WhenAll(_background.Keys);
        await _ingress.DisposeAsync();
        _stopping.Dispose();
    }

    private void Update(TaskManager manager, SwarmTask task)
    {
        var current = manager.Current;
        if (task.DesiredState > TaskState.Running && current.DesiredState <= TaskState.Running)
        {
            // No new connections for a task that is about to stop.
            Run(() => _ingress.RemoveAsync(task.Id));
        }

        // A manager that fell before it had written our report down knows less than it acknowledged.
        if ((task.Status?.State ?? TaskState.New) < current.Status.State)
        {
            _reports.Put(task.Id, current.Status);
        }

        manager.Update(task);
    }

    private void TakeOn(SwarmTask task)
    {
        task.Status ??= new TaskStatus();
        var before = task.Status.State;
        var controller = Resolve(task);
        var status = task.Status;
        var manager = new TaskManager(task, controller, OnMovedAsync, _time, _logger);
        _managers[task.Id] = manager;
        _reports.Put(task.Id, status);
        if (status.State != before)
        {
            Run(() => _store.PutStatusAsync(task.Id, status, CancellationToken.None).AsTask());
        }

        Publish(manager, status);
        Added?.Invoke(manager);
    }

    private IController? Resolve(SwarmTask task)
    {
        var status = task.Status.Clone();
        status.Timestamp = Timestamp.FromDateTimeOffset(_time.GetUtcNow());
        try
        {
            var expanded = TaskTemplates.Expand(task, _node());
            var controller = _executor.CreateController(expanded, new TaskDependencies(_objects, expanded, _node));
            if (status.State < TaskState.Accepted)
            {
                (status.State, status.Message, status.Err) = (TaskState.Accepted, "accepted", "");
                task.Status = status;
            }

            return controller;
        }
        catch (Exception e)
        {
            (status.Message, status.Err) = ("resolving controller failed", e.Message);
            if (status.State < TaskState.Starting)
            {
                status.State = TaskState.Rejected;
            }
            else if (status.State <= TaskState.Running)
            {
                status.State = TaskState.Failed;
            }

            task.Status = status;
            TaskLog.Ended(_logger, task.Id, status.State, status.Err);
            return null;
        }
    }

    private void Drop(string id)
    {
        if (!_managers.TryRemove(id, out var manager))
        {
            return;
        }

        _reports.Forget(id);
        Run(async () =>
        {
            await _ingress.RemoveAsync(id);
            await manager.RemoveAsync(_stopping.Token);
        });
    }

    private async ValueTask OnMovedAsync(TaskManager manager, TaskStatus status)
    {
        var id = manager.Current.Id;
        _reports.Put(id, status);
        Publish(manager, status);
        await _store.PutStatusAsync(id, status, _stopping.Token);
    }

    private void Publish(TaskManager manager, TaskStatus status)
    {
        var task = manager.Current;
        if (!IngressRelay.PortsOf(task).Any())
        {
            return;
        }

        if (status.State > TaskState.Running)
        {
            Run(() => _ingress.RemoveAsync(task.Id));
        }
        else if (status.State == TaskState.Running && status.Err.Length == 0)
        {
            Run(() => PublishAsync(manager, task));
        }
    }

    private async Task PublishAsync(TaskManager manager, SwarmTask task)
    {
        while (manager.Current is { Status.State: TaskState.Running, DesiredState: <= TaskState.Running })
        {
            try
            {
                var address = manager.Controller is IReachableController reachable ? await reachable.GetAddressAsync(_stopping.Token) : null;
                if (address is not null)
                {
                    _ingress.Add(task, address);
                    if (manager.Current is not { Status.State: TaskState.Running, DesiredState: <= TaskState.Running })
                    {
                        // It ended, or was told to, while its address was asked for.
                        await _ingress.RemoveAsync(task.Id);
                    }
                }
                else
                {
                    await manager.NoteAsync("the task has no network that its published ports could be carried to");
                }

                return;
            }
            catch (TaskTemporaryException)
            {
                await Task.Delay(AddressRetry, _time, _stopping.Token);
            }
        }
    }

    private void OnPortProblem(string taskId, string problem)
    {
        if (_managers.TryGetValue(taskId, out var manager))
        {
            Run(() => manager.NoteAsync(problem).AsTask());
        }
    }

    private async Task RemoveOrphansAsync(HashSet<string> known)
    {
        var said = "";
        while (true)
        {
            try
            {
                await _executor.RemoveOrphansAsync(known, _stopping.Token);
                return;
            }
            catch (Exception e) when (!_stopping.IsCancellationRequested)
            {
                // A node without an engine says so once, not at every try.
                if (e.Message != said)
                {
                    said = e.Message;
                    TaskLog.OrphansKept(_logger, said, OrphanRetry.TotalMilliseconds);
                }

                await Task.Delay(OrphanRetry, _time, _stopping.Token);
            }
        }
    }

    private void Run(Func<Task> work)
    {
        var task = Task.Run(async () =>
        {
            try
            {
                await work();
            }
            catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
            {
                // The node stops; what is left is done in its next life.
            }
            catch (Exception e)
            {
                TaskLog.BackgroundFailed(_logger, e.Message);
            }
        });
        _background[task] = 0;
        _ = task.ContinueWith(done => _background.TryRemove(done, out _), TaskScheduler.Default);
    }
}
