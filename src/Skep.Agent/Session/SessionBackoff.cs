namespace Skep.Agent.Session;

/// <summary>
/// How long to stay away from the managers after a session failed: the bound grows as 100 ms + twice the one before, to
/// 8 s at most, and the wait is a random part of it so that the nodes of a lost manager do not come back all at once.
/// Source: moby/swarmkit agent/agent.go.
/// </summary>
internal sealed class SessionBackoff(Random random)
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Max = TimeSpan.FromSeconds(8);

    /// <summary>The present bound of the wait.</summary>
    public TimeSpan Bound { get; private set; }

    /// <summary>Counts a failure.</summary>
    public void Failed()
    {
        var next = Step + 2 * Bound;
        Bound = next < Max ? next : Max;
    }

    /// <summary>Forgets the failures; called when a manager has taken the node in.</summary>
    public void Reset() => Bound = TimeSpan.Zero;

    /// <summary>How long to wait before the next attempt.</summary>
    public TimeSpan NextDelay() => Bound * random.NextDouble();
}
