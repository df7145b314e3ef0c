namespace Skep.Coordination.Client;

/// <summary>What happened at a watched path; the numbers are the protocol's.</summary>
public enum WatchedEventType
{
    /// <summary>
    /// The connection was lost and is back, and the watch stands again. What happened in between is not told to persistent watches: read
    /// anew what is watched.
    /// </summary>
    Reconnected = -1,

    /// <summary>The node was made.</summary>
    Created = 1,

    /// <summary>The node was deleted.</summary>
    Deleted = 2,

    /// <summary>The node's data was set.</summary>
    DataChanged = 3,

    /// <summary>The node has a child more or less. Not told to recursive watches, which are told of the child itself.</summary>
    ChildrenChanged = 4,
}

/// <summary>How far a persistent watch sees.</summary>
public enum WatchMode
{
    /// <summary>The node itself: made, deleted, data and children changed.</summary>
    Persistent = 0,

    /// <summary>The node and all below it: made, deleted, data changed.</summary>
    PersistentRecursive = 1,
}

/// <summary>An event at a watched path. <see cref="Zxid"/> is the change's number from servers that tell it (3.9 and newer), else -1.</summary>
public readonly record struct WatchedEvent(WatchedEventType Type, string Path, long Zxid = -1);

/// <summary>What was read, and a watch on it that fires once. Disposing it takes the watch back if it has not fired.</summary>
/// <typeparam name="T">What was read.</typeparam>
public sealed class Watched<T> : IDisposable
{
    private readonly Action _forget;

    internal Watched(T value, Task<WatchedEvent> changed, Action forget)
    {
        Value = value;
        Changed = changed;
        _forget = forget;
    }

    /// <summary>What was read.</summary>
    public T Value { get; }

    /// <summary>
    /// Ends with the first change after the read, also over reconnects. Fails with <see cref="SessionExpiredException"/> where the session
    /// expires, and is cancelled where the client is closed or the watch taken back.
    /// </summary>
    public Task<WatchedEvent> Changed { get; }

    /// <inheritdoc/>
    public void Dispose() => _forget();
}
