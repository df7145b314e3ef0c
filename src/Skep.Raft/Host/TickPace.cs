namespace Skep.Raft;

/// <summary>What a member has to look at the clock for.</summary>
internal enum TickCause
{
    /// <summary>It leads, and there is no other member.</summary>
    None,

    /// <summary>It leads, and is to tell that it lives.</summary>
    Heartbeats,

    /// <summary>It leads, and a member has not all there is, or does not know it.</summary>
    Laggards,

    /// <summary>It follows, and would miss its leader.</summary>
    Leader,

    /// <summary>It knows of no leader.</summary>
    Election,
}

/// <summary>
/// When a group looks at the clock next: often while commands go through it, so that followers hear soon of what is committed, less
/// often at rest, and hardly at all where there is no other member to hear from.
/// </summary>
internal sealed class TickPace(int heartbeatMs)
{
    private const int QuietTicks = 8;
    private const int LonePeriodMs = 2000;

    /// <summary>What is told of a follower from outside, and reads that it gives up, are no older than this at rest.</summary>
    private const int LongestRestMs = 250;

    private (ulong Term, ulong Last, ulong Commit) _seen;
    private TickCause _cause;
    private int _quiet;

    /// <summary>Takes note of the group as it is at the end of a turn.</summary>
    /// <param name="ticked">Whether the clock gave this turn.</param>
    /// <param name="cause">What the clock is looked at for.</param>
    /// <param name="term">Its term.</param>
    /// <param name="last">Its last index.</param>
    /// <param name="commit">What is committed.</param>
    /// <returns>Whether <see cref="NextMs"/> is another now.</returns>
    public bool Observe(bool ticked, TickCause cause, ulong term, ulong last, ulong commit)
    {
        var before = Rest;
        _cause = cause;
        if (_seen != (term, last, commit))
        {
            _seen = (term, last, commit);
            _quiet = 0;
        }
        else if (ticked && _quiet < QuietTicks)
        {
            _quiet++;
        }

        return before != Rest;
    }

    /// <summary>When the next look at the clock is due.</summary>
    /// <param name="nowMs">The clock of all groups of the process: those of one pace look at the same moments, and the machine wakes once for them.</param>
    /// <param name="untilElectionMs">How long a member that does not lead still waits before it asks for votes.</param>
    public long NextMs(long nowMs, long untilElectionMs)
    {
        return Rest switch
        {
            null => After(nowMs, BusyMs(heartbeatMs)),
            TickCause.None => After(nowMs, LonePeriodMs),
            TickCause.Heartbeats => After(nowMs, 2 * heartbeatMs),
            TickCause.Leader => nowMs + Math.Clamp(untilElectionMs, 1, LongestRestMs),
            TickCause.Election => nowMs + Math.Clamp(untilElectionMs, 1, heartbeatMs),
            _ => After(nowMs, Math.Max(1, heartbeatMs / 2)),
        };
    }

    /// <summary>The period while commands go through the group.</summary>
    public static int BusyMs(int heartbeatMs) => Math.Max(1, heartbeatMs / 4);

    /// <summary>
    /// How often a leader at rest tells that it lives: at every second heartbeat's time, less what the tick before may have been late.
    /// </summary>
    public static int RestHeartbeatMs(int heartbeatMs) => (2 * heartbeatMs) - (heartbeatMs / 5);

    /// <summary>What a group at rest looks at the clock for; null where commands go through it.</summary>
    private TickCause? Rest => _cause == TickCause.None || _quiet >= QuietTicks ? _cause : null;

    private static long After(long nowMs, int periodMs) => nowMs - (nowMs % periodMs) + periodMs;
}
