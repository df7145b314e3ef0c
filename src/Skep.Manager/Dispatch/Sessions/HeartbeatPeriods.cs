namespace Skep.Manager.Dispatch.Sessions;

/// <summary>Chooses the time until a node's next heartbeat. Not thread-safe.</summary>
internal sealed class HeartbeatPeriods(TimeSpan mean, TimeSpan epsilon, Random random)
{
    /// <summary>The mean; the cluster's spec may change it.</summary>
    public TimeSpan Mean { get; set; } = mean;

    /// <summary>The mean give or take the epsilon, which is never more than half of the mean.</summary>
    public TimeSpan Next()
    {
        TimeSpan most = epsilon < Mean / 2 ? epsilon : Mean / 2;
        return Mean + (most * ((2 * random.NextDouble()) - 1));
    }
}
