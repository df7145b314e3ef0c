namespace Skep.Raft;

/// <summary>
/// How often a group looks at the clock: often while commands go through it, so that followers hear soon of what is committed, less
/// often at rest, and hardly at all where there is no other member to hear from.
/// </summary>
internal sealed class TickPace(int heartbeatMs)
{
    private const int QuietTicks = 8;
    private const int LonePeriodMs = 2000;

    private (ulong Term, ulong Last, ulong Commit) _seen;
    private int _quiet;

    /// <summary>The pace of a group that has just begun.</summary>
    public int PeriodMs { get; private set; } = BusyMs(heartbeatMs);

    /// <summary>Takes note of the group as it is at the end of a turn.</summary>
    /// <param name="ticked">Whether the clock gave this turn.</param>
    /// <param name="isAlone">Whether this member leads and there is no other.</param>
    /// <param name="term">Its term.</param>
    /// <param name="last">Its last index.</param>
    /// <param name="commit">What is committed.</param>
    /// <returns>Whether <see cref="PeriodMs"/> is another now.</returns>
    public bool Observe(bool ticked, bool isAlone, ulong term, ulong last, ulong commit)
    {
        if (_seen != (term, last, commit))
        {
            _seen = (term, last, commit);
            _quiet = 0;
        }
        else if (ticked && _quiet < QuietTicks)
        {
            _quiet++;
        }

        var period = isAlone ? LonePeriodMs : _quiet < QuietTicks ? BusyMs(heartbeatMs) : Math.Max(1, heartbeatMs / 2);
        var changes = period != PeriodMs;
        PeriodMs = period;
        return changes;
    }

    /// <summary>The period while commands go through the group.</summary>
    public static int BusyMs(int heartbeatMs) => Math.Max(1, heartbeatMs / 4);
}
