namespace Skep.Manager.Scheduling;

/// <summary>
/// Waits until changes come no more for a while, so that one round serves many of them, but never longer than a bound
/// (50 ms and 1 s: moby/swarmkit manager/scheduler/scheduler.go).
/// </summary>
internal sealed class Debounce(TimeProvider time)
{
    /// <summary>How long it must be quiet.</summary>
    public static readonly TimeSpan Gap = TimeSpan.FromMilliseconds(50);

    /// <summary>How long the first change waits at most.</summary>
    public static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(1);

    private long first;
    private long last;

    /// <summary>Whether something waits for the next round.</summary>
    public bool IsPending { get; private set; }

    /// <summary>How long until the round is due; not above zero when it is due now.</summary>
    public TimeSpan Left
    {
        get
        {
            TimeSpan quiet = Gap - time.GetElapsedTime(last);
            TimeSpan bound = LongestWait - time.GetElapsedTime(first);
            return quiet < bound ? quiet : bound;
        }
    }

    /// <summary>A change that calls for a round.</summary>
    public void Touch()
    {
        last = time.GetTimestamp();
        if (!IsPending)
        {
            first = last;
            IsPending = true;
        }
    }

    /// <summary>The round has begun.</summary>
    public void Clear() => IsPending = false;
}
