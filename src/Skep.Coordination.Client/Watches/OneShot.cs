namespace Skep.Coordination.Client.Watches;

/// <summary>Which of a session's lists of watches one stands in, at the server.</summary>
internal enum WatchKind { Data, Exist, Child }

/// <summary>A watch that fires once. It counts from the moment its read is queued, but fires only after the read's answer.</summary>
internal sealed class OneShot(string path, WatchKind kind)
{
    private readonly TaskCompletionSource<WatchedEvent> _fired = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>As the server knows it.</summary>
    public string Path => path;

    public WatchKind Kind { get; set; } = kind;

    public bool IsActive { get; set; }

    public Task<WatchedEvent> Task => _fired.Task;

    public bool FiresOn(WatchedEventType type) => IsActive && (Kind == WatchKind.Child
        ? type is WatchedEventType.ChildrenChanged or WatchedEventType.Deleted
        : type is WatchedEventType.Created or WatchedEventType.DataChanged or WatchedEventType.Deleted);

    public void Fire(WatchedEvent e) => _fired.TrySetResult(e);

    public void End(Exception? reason)
    {
        if (reason is null)
        {
            _fired.TrySetCanceled();
            return;
        }
        _fired.TrySetException(reason);
        // Who does not look at the watch any more is not to be told of it by the runtime either.
        _ = _fired.Task.Exception;
    }
}
