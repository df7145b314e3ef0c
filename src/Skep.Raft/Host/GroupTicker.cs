using Skep.Raft.Transport;

namespace Skep.Raft;

/// <summary>
/// Ticks the groups of a process by one timer: those that are due at the same moment one after another on one thread, so that what they
/// send to a peer leaves in one write, and a machine at rest is woken once for all of them.
/// </summary>
internal sealed class GroupTicker : IDisposable
{
    private const long Never = long.MaxValue;

    /// <summary>After so long in one group's turn the others get threads of their own.</summary>
    private const int PatienceMs = 5;

    private readonly TimeProvider _time;
    private readonly RaftTransport _transport;
    private readonly Lock _gate = new();
    private readonly ITimer _timer;
    private readonly long _startTimestamp;
    private Ticked[] _groups = [];
    private long _armedMs = Never;

    public GroupTicker(TimeProvider time, RaftTransport transport)
    {
        (_time, _transport, _startTimestamp) = (time, transport, time.GetTimestamp());
        _timer = time.CreateTimer(static me => ((GroupTicker)me!).Tick(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>The clock by which groups are due.</summary>
    public long NowMs => (long)_time.GetElapsedTime(_startTimestamp).TotalMilliseconds;

    /// <summary>Takes a group in, to be ticked when it says that it is due.</summary>
    /// <param name="tick">Told whether this thread may be used for it.</param>
    public Ticked Add(Action<bool> tick)
    {
        var added = new Ticked(this, tick);
        lock (_gate)
        {
            _groups = [.. _groups, added];
        }

        return added;
    }

    public void Dispose() => _timer.Dispose();

    private void Remove(Ticked group)
    {
        lock (_gate)
        {
            _groups = [.. _groups.Where(g => g != group)];
        }
    }

    private void Due(Ticked group, long atMs)
    {
        lock (_gate)
        {
            // One that is due already is on its way.
            if (group.DueMs > NowMs)
            {
                group.DueMs = atMs;
                if (atMs < _armedMs)
                {
                    Arm(atMs);
                }
            }
        }
    }

    private void Tick()
    {
        Ticked[] due;
        var now = NowMs;
        lock (_gate)
        {
            due = [.. _groups.Where(g => g.DueMs <= now)];
            foreach (var group in due)
            {
                group.DueMs = Never;
            }

            Arm(_groups.Select(static g => g.DueMs).DefaultIfEmpty(Never).Min());
        }

        using var together = _transport.Gather();
        foreach (var group in due)
        {
            group.Tick(NowMs - now < PatienceMs);
        }
    }

    private void Arm(long atMs)
    {
        _armedMs = atMs;
        _timer.Change(atMs == Never ? Timeout.InfiniteTimeSpan : TimeSpan.FromMilliseconds(Math.Max(1, atMs - NowMs)), Timeout.InfiniteTimeSpan);
    }

    /// <summary>A group that is ticked until this is disposed of.</summary>
    internal sealed class Ticked(GroupTicker ticker, Action<bool> tick) : IDisposable
    {
        private long _dueMs = Never;

        /// <summary>When it is ticked next.</summary>
        public long DueMs
        {
            get => Volatile.Read(ref _dueMs);
            set => Volatile.Write(ref _dueMs, value);
        }

        /// <summary>Whether it was ticked and did not say since when it is due again.</summary>
        public bool IsSpent => DueMs == Never;

        public Action<bool> Tick => tick;

        /// <summary>Has it ticked at a time, and not at the time said before.</summary>
        public void Due(long atMs) => ticker.Due(this, atMs);

        public void Dispose() => ticker.Remove(this);
    }
}
