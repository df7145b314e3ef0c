namespace Skep.Identity.Authorization;

/// <summary>
/// The streams that are open, by node, so that a removed node's can be closed: its certificate was good when they were
/// opened. Enter a stream first and authorise it then; a removal in between is seen by one of the two.
/// </summary>
public sealed class ActiveStreams
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, HashSet<Entry>> _byNode = new(StringComparer.Ordinal);

    /// <summary>An open stream.</summary>
    public interface IStream : IDisposable
    {
        /// <summary>Cancelled when the stream must be closed because its node was removed.</summary>
        CancellationToken Removed { get; }
    }

    /// <summary>How many streams are open.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _byNode.Values.Sum(s => s.Count);
            }
        }
    }

    /// <summary>Enters a stream of a node, and of the manager that forwards for it if there is one; dispose when it ends.</summary>
    public IStream Enter(string nodeId, string? forwardedBy = null)
    {
        var entry = new Entry(this, forwardedBy is null || forwardedBy == nodeId ? [nodeId] : [nodeId, forwardedBy]);
        lock (_gate)
        {
            foreach (var id in entry.NodeIds)
            {
                if (!_byNode.TryGetValue(id, out var streams))
                {
                    _byNode[id] = streams = [];
                }

                streams.Add(entry);
            }
        }

        return entry;
    }

    /// <summary>Closes the open streams of the nodes that were removed.</summary>
    /// <returns>How many were closed.</returns>
    public int CloseRemoved(Func<string, bool> isRemoved)
    {
        ArgumentNullException.ThrowIfNull(isRemoved);
        List<Entry> closing;
        lock (_gate)
        {
            closing = [.. _byNode.Where(s => isRemoved(s.Key)).SelectMany(s => s.Value).Distinct()];
        }

        // Outside the gate: whoever waits on the token may run here and leave.
        foreach (var entry in closing)
        {
            entry.Close();
        }

        return closing.Count;
    }

    private void Leave(Entry entry)
    {
        lock (_gate)
        {
            foreach (var id in entry.NodeIds)
            {
                if (_byNode.TryGetValue(id, out var streams) && streams.Remove(entry) && streams.Count == 0)
                {
                    _byNode.Remove(id);
                }
            }
        }
    }

    private sealed class Entry(ActiveStreams owner, string[] nodeIds) : IStream
    {
        private readonly CancellationTokenSource _removed = new();

        public string[] NodeIds => nodeIds;

        public CancellationToken Removed => _removed.Token;

        public void Close()
        {
            try
            {
                _removed.Cancel();
            }
            catch (ObjectDisposedException)
            {
                // The stream ended by itself at the same moment.
            }
        }

        public void Dispose()
        {
            owner.Leave(this);
            _removed.Dispose();
        }
    }
}
