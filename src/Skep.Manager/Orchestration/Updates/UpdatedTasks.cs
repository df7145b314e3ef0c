using Docker.Swarmkit.V1;

namespace Skep.Manager.Orchestration;

/// <summary>The tasks an update has made, watched for those that fail too early.</summary>
internal sealed class UpdatedTasks
{
    private readonly Dictionary<string, Watched> tasks = new(StringComparer.Ordinal);

    /// <summary>How many have failed.</summary>
    public int Failures { get; private set; }

    /// <summary>When the last one came to run, or null.</summary>
    public DateTimeOffset? LastRunningAt { get; private set; }

    /// <summary>Watches a task the update has just made.</summary>
    public void Add(SlotKey key, string taskId) => tasks[taskId] = new(key);

    /// <summary>Watches a task that the update made under another leader.</summary>
    public void TakeOver(SlotKey key, PlannedTask task, TimeSpan monitor)
    {
        var watched = new Watched(key);
        tasks[task.Id] = watched;
        if (task.Observed >= TaskState.Running && task.Observed != TaskState.Rejected)
        {
            // Of a task that is over, nobody knows any more when it came to run; it had the time from its making.
            watched.RunningAt = task.Observed == TaskState.Running ? task.Task.ReportedAt() : task.Task.CreatedAt();
            LastRunningAt = LastRunningAt > watched.RunningAt ? LastRunningAt : watched.RunningAt;
            watched.OverAt = task.HasEnded ? task.Task.ReportedAt() : null;
            watched.Counted = watched.OverAt - watched.RunningAt > monitor;
        }
    }

    /// <summary>Notes what became of the tasks.</summary>
    public void Observe(IReadOnlyDictionary<SlotKey, Slot> slots, DateTimeOffset now)
    {
        foreach ((string id, Watched watched) in tasks.ToList())
        {
            PlannedTask? task = slots.GetValueOrDefault(watched.Key)?.Tasks.Find(t => t.Id == id);
            if (task is null || (!task.IsWanted && !task.HasEnded))
            {
                // Stopped by us, for a drained node for example: however it ends, that is no failure.
                tasks.Remove(id);
                continue;
            }
            if (task.Observed == TaskState.Running && watched.RunningAt is null)
            {
                watched.RunningAt = now;
                LastRunningAt = now;
            }
            if (task.HasEnded)
            {
                watched.OverAt ??= now;
            }
        }
    }

    /// <summary>Tasks that ended before they ran, or while they were still monitored; each once, counted one by one.</summary>
    public IEnumerable<string> NewFailures(DateTimeOffset now, TimeSpan monitor)
    {
        foreach ((string id, Watched watched) in tasks)
        {
            if (watched.Counted || watched.OverAt is not { } overAt)
            {
                continue;
            }
            watched.Counted = true;
            if (watched.RunningAt is not { } runningAt || overAt - runningAt <= monitor)
            {
                Failures++;
                yield return id;
            }
        }
    }

    private sealed class Watched(SlotKey key)
    {
        public SlotKey Key { get; } = key;

        public DateTimeOffset? RunningAt { get; set; }

        public DateTimeOffset? OverAt { get; set; }

        public bool Counted { get; set; }
    }
}
