namespace Skep.Manager.Scheduling;

/// <summary>
/// Where tasks of a service failed lately. A node where one spec failed five times in five minutes is tried last for that
/// spec; a new spec starts afresh (numbers: moby/swarmkit manager/scheduler/nodeinfo.go).
/// </summary>
internal sealed class FailureLog
{
    /// <summary>How long a failure counts.</summary>
    public static readonly TimeSpan Window = TimeSpan.FromMinutes(5);

    /// <summary>From how many failures on a node is put behind the others.</summary>
    public const int Enough = 5;

    // More than that make no difference.
    private const int Kept = 100;

    private readonly Dictionary<SpecKey, Dictionary<string, Queue<DateTimeOffset>>> failures = [];
    private DateTimeOffset pruned;

    /// <summary>A task failed or was rejected.</summary>
    public void Add(SpecKey spec, string nodeId, DateTimeOffset at)
    {
        Prune(at);
        if (!failures.TryGetValue(spec, out Dictionary<string, Queue<DateTimeOffset>>? byNode))
        {
            failures[spec] = byNode = new(StringComparer.Ordinal);
        }
        if (!byNode.TryGetValue(nodeId, out Queue<DateTimeOffset>? times))
        {
            byNode[nodeId] = times = new();
        }
        times.Enqueue(at);
        if (times.Count > Kept)
        {
            times.Dequeue();
        }
    }

    /// <summary>Nodes where a spec failed often enough to count, with how often.</summary>
    public IEnumerable<(string NodeId, int Failures)> Of(SpecKey spec, DateTimeOffset now)
    {
        Prune(now);
        return failures.TryGetValue(spec, out Dictionary<string, Queue<DateTimeOffset>>? byNode) ? Counted(byNode, now) : [];
    }

    private static IEnumerable<(string NodeId, int Failures)> Counted(Dictionary<string, Queue<DateTimeOffset>> byNode, DateTimeOffset now)
    {
        foreach ((string nodeId, Queue<DateTimeOffset> times) in byNode)
        {
            Forget(times, now);
            if (times.Count >= Enough)
            {
                yield return (nodeId, times.Count);
            }
        }
    }

    private static void Forget(Queue<DateTimeOffset> times, DateTimeOffset now)
    {
        while (times.TryPeek(out DateTimeOffset oldest) && now - oldest >= Window)
        {
            times.Dequeue();
        }
    }

    private void Prune(DateTimeOffset now)
    {
        if (now - pruned < Window)
        {
            return;
        }
        pruned = now;
        foreach ((SpecKey spec, Dictionary<string, Queue<DateTimeOffset>> byNode) in failures)
        {
            foreach ((string nodeId, Queue<DateTimeOffset> times) in byNode)
            {
                Forget(times, now);
                if (times.Count == 0)
                {
                    byNode.Remove(nodeId);
                }
            }
            if (byNode.Count == 0)
            {
                failures.Remove(spec);
            }
        }
    }
}

/// <summary>One version of a service's spec.</summary>
internal readonly record struct SpecKey(string ServiceId, ulong SpecVersion)
{
    /// <summary>That of a task.</summary>
    public static SpecKey Of(SwarmTask task) => new(task.ServiceId, task.SpecVersion?.Index ?? 0);
}
