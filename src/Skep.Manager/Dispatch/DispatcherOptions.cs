namespace Skep.Manager.Dispatch;

/// <summary>The dispatcher's numbers; the defaults are SwarmKit's (source: moby/swarmkit manager/dispatcher).</summary>
public sealed record DispatcherOptions
{
    /// <summary>How often a node reports itself, where the cluster's spec says nothing.</summary>
    public TimeSpan HeartbeatPeriod { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How far each period may lie from the mean, so that nodes do not report all at once.</summary>
    public TimeSpan HeartbeatEpsilon { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>After how many silent periods a node is down.</summary>
    public int GracePeriods { get; init; } = 3;

    /// <summary>How many registrations of one node are taken within <see cref="RegistrationWindow"/>.</summary>
    public int RegistrationLimit { get; init; } = 3;

    /// <summary>How long a node must be quiet before its registrations are counted anew.</summary>
    public TimeSpan RegistrationWindow { get; init; } = TimeSpan.FromSeconds(8);

    /// <summary>The shortest time between two messages of one stream of assignments.</summary>
    public TimeSpan AssignmentInterval { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>So many modifications are sent without waiting for the interval.</summary>
    public int AssignmentBatch { get; init; } = 100;

    /// <summary>How many writes of statuses and nodes may wait for the store.</summary>
    public int WriteBacklog { get; init; } = 10_000;

    /// <summary>How long a node is down before its tasks are given up as orphaned.</summary>
    public TimeSpan OrphanAfter { get; init; } = TimeSpan.FromHours(24);
}
