namespace Skep.Coordination.Sessions;

/// <summary>
/// When sessions end, as their leader decides it: each has until its time-out after it was last heard of anywhere. A new leader gives
/// every session its whole time again, since it does not know who was heard before. Pure; one thread at a time.
/// </summary>
internal sealed class SessionExpiry
{
    /// <summary>Ticks further apart than this say that this process stood still, not that clients were silent.</summary>
    private const long LongestTickMs = 1_000;

    private readonly Dictionary<long, (long DeadlineMs, int TimeoutMs)> _deadlines = [];
    private long _lastTickMs;

    /// <summary>Begins anew with these sessions.</summary>
    public void Lead(IEnumerable<(long Id, int TimeoutMs)> sessions, long nowMs)
    {
        _lastTickMs = nowMs;
        _deadlines.Clear();
        foreach ((long id, int timeoutMs) in sessions)
        {
            _deadlines[id] = (nowMs + timeoutMs, timeoutMs);
        }
    }

    /// <summary>A session was begun or taken up.</summary>
    public void Set(long sessionId, int timeoutMs, long nowMs) => _deadlines[sessionId] = (nowMs + timeoutMs, timeoutMs);

    /// <summary>A session's client was heard.</summary>
    public void Touch(long sessionId, long nowMs)
    {
        if (_deadlines.TryGetValue(sessionId, out (long DeadlineMs, int TimeoutMs) known))
        {
            _deadlines[sessionId] = (nowMs + known.TimeoutMs, known.TimeoutMs);
        }
    }

    public void Remove(long sessionId) => _deadlines.Remove(sessionId);

    /// <summary>The sessions whose time is over.</summary>
    public List<long> Expired(long nowMs)
    {
        long stoodStillMs = nowMs - _lastTickMs - LongestTickMs;
        _lastTickMs = nowMs;
        var expired = new List<long>();
        foreach ((long id, (long deadlineMs, int timeoutMs)) in _deadlines)
        {
            if (stoodStillMs > 0)
            {
                // What clients said meanwhile is still to be read.
                _deadlines[id] = (deadlineMs + stoodStillMs, timeoutMs);
            }
            else if (deadlineMs <= nowMs)
            {
                expired.Add(id);
            }
        }
        return expired;
    }
}
