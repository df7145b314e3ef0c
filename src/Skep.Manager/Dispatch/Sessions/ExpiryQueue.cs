namespace Skep.Manager.Dispatch.Sessions;

/// <summary>
/// Deadlines by id, made for deadlines that are pushed back all the time and seldom reached: pushing back costs no heap
/// operation. Not thread-safe.
/// </summary>
internal sealed class ExpiryQueue
{
    private readonly Dictionary<string, Entry> entries = new(StringComparer.Ordinal);
    private readonly PriorityQueue<(Entry Entry, int Turn), TimeSpan> heap = new();

    /// <summary>Sets or moves the deadline of an id.</summary>
    public void Set(string id, TimeSpan deadline)
    {
        if (!entries.TryGetValue(id, out Entry? entry))
        {
            entries[id] = entry = new(id);
            Queue(entry, deadline);
        }
        else if (deadline < entry.QueuedAt)
        {
            Queue(entry, deadline);
        }
        entry.Deadline = deadline;
    }

    /// <summary>Forgets the deadline of an id.</summary>
    public void Remove(string id)
    {
        if (entries.TryGetValue(id, out Entry? entry))
        {
            // It stays in the heap until its turn comes, and is taken up again when the id returns before that.
            entry.Deadline = null;
        }
    }

    /// <summary>Forgets everything.</summary>
    public void Clear()
    {
        entries.Clear();
        heap.Clear();
    }

    /// <summary>Takes out the ids whose deadline is reached.</summary>
    public IReadOnlyList<string> TakeExpired(TimeSpan now)
    {
        List<string>? expired = null;
        while (heap.TryPeek(out (Entry Entry, int Turn) next, out TimeSpan queuedAt) && queuedAt <= now)
        {
            heap.Dequeue();
            Entry entry = next.Entry;
            if (next.Turn != entry.Turn)
            {
                // It was queued again for an earlier time since.
                continue;
            }
            if (entry.Deadline > now)
            {
                Queue(entry, entry.Deadline.Value);
                continue;
            }
            entries.Remove(entry.Id);
            if (entry.Deadline is not null)
            {
                (expired ??= []).Add(entry.Id);
            }
        }
        return expired ?? [];
    }

    private void Queue(Entry entry, TimeSpan at)
    {
        entry.QueuedAt = at;
        heap.Enqueue((entry, ++entry.Turn), at);
    }

    private sealed class Entry(string id)
    {
        public string Id { get; } = id;

        public TimeSpan? Deadline { get; set; }

        public TimeSpan QueuedAt { get; set; }

        /// <summary>Which of its places in the heap counts.</summary>
        public int Turn { get; set; }
    }
}
