namespace Skep.Manager.Dispatch.Feeds;

/// <summary>What a stream of a node is interested in.</summary>
internal enum FeedInterest
{
    /// <summary>The tasks given to the node.</summary>
    Tasks,

    /// <summary>The node itself and what the cluster tells every node.</summary>
    Session,
}

/// <summary>
/// Says to one stream of a node that something it shows has changed, and which tasks. It carries no objects: the stream reads
/// the store anew, so that a slow stream skips states and needs no more memory than the node has tasks.
/// </summary>
internal sealed class NodeFeed(FeedRouter owner, string nodeId, FeedInterest interest, int batch) : IDisposable
{
    private readonly Lock gate = new();
    private readonly Signal changed = new();
    private readonly Signal full = new();
    private HashSet<string> taskIds = new(StringComparer.Ordinal);
    private bool everything;

    public string NodeId => nodeId;

    public FeedInterest Interest => interest;

    /// <summary>Notes a changed task; <see cref="Wake"/> follows when the whole commit is noted.</summary>
    public void Note(string taskId)
    {
        lock (gate)
        {
            taskIds.Add(taskId);
        }
    }

    /// <summary>Notes that anything may have changed.</summary>
    public void NoteEverything()
    {
        lock (gate)
        {
            everything = true;
        }
        Wake();
    }

    /// <summary>Wakes the stream.</summary>
    public void Wake()
    {
        lock (gate)
        {
            if (taskIds.Count >= batch || everything)
            {
                full.Set();
            }
        }
        changed.Set();
    }

    /// <summary>Waits for a change.</summary>
    public async Task WaitAsync(CancellationToken ct) => await changed.WaitAsync(ct).ConfigureAwait(false);

    /// <summary>Waits until a batch is full or the time is over.</summary>
    public async Task WaitFullAsync(TimeSpan longest, TimeProvider time, CancellationToken ct)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct);
        await Task.WhenAny(Task.Delay(longest, time, either.Token), full.WaitAsync(either.Token).AsTask()).ConfigureAwait(false);
        await either.CancelAsync().ConfigureAwait(false);
        ct.ThrowIfCancellationRequested();
    }

    /// <summary>Takes what has changed.</summary>
    /// <param name="all">Whether the node's tasks must be listed anew.</param>
    public IReadOnlyCollection<string> Take(out bool all)
    {
        lock (gate)
        {
            full.Reset();
            (HashSet<string> taken, taskIds) = (taskIds, new(StringComparer.Ordinal));
            (all, everything) = (everything, false);
            return taken;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => owner.Close(this);
}
