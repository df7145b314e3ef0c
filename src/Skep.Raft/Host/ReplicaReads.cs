using Skep.Raft.Consensus;

namespace Skep.Raft;

/// <summary>Reads that wait to be admitted, and admitted ones that wait until this member has applied enough.</summary>
/// <param name="patienceMs">How long an answer is waited for.</param>
/// <param name="firstContext">Another at each start: a late answer to a question of an earlier life must not admit a read of this one.</param>
internal sealed class ReplicaReads(long patienceMs, ulong firstContext)
{
    private readonly Dictionary<ulong, (long AskedMs, List<TaskCompletionSource> Readers)> _asked = [];
    private readonly PriorityQueue<List<TaskCompletionSource>, ulong> _admitted = new();
    private List<TaskCompletionSource> _new = [];
    private ulong _context = firstContext;
    private long _progressMs;
    private ulong _applied;

    public void Add(TaskCompletionSource reader) => _new.Add(reader);

    /// <summary>Asks the core once for all reads that came since the last time.</summary>
    public void Ask(RaftCore core, long nowMs, Func<Exception> noLeader)
    {
        if (_new.Count == 0)
        {
            return;
        }

        if (core.Read(nowMs, ++_context))
        {
            _asked[_context] = (nowMs, _new);
        }
        else
        {
            Fail(_new, noLeader());
        }

        _new = [];
    }

    public void Decided(IReadOnlyList<ReadState> reads, long nowMs, Func<Exception> noLeader)
    {
        foreach (var read in reads)
        {
            if (!_asked.Remove(read.Context, out var asked))
            {
                continue;
            }

            if (read.Index is { } index)
            {
                _admitted.Enqueue(asked.Readers, index);
                _progressMs = nowMs;
            }
            else
            {
                Fail(asked.Readers, noLeader());
            }
        }
    }

    public void Applied(ulong index, long nowMs)
    {
        if (index != _applied)
        {
            (_applied, _progressMs) = (index, nowMs);
        }

        while (_admitted.TryPeek(out var readers, out var needed) && needed <= index)
        {
            _admitted.Dequeue();
            readers.ForEach(static r => r.TrySetResult());
        }
    }

    /// <summary>
    /// A read whose question or answer was lost is given up, for its caller to ask again; and so are the admitted ones when nothing
    /// more is admitted or applied: this member was cut off from what it has yet to apply.
    /// </summary>
    public void GiveUp(long nowMs, Func<Exception> noLeader)
    {
        if (_asked.Count == 0 && _admitted.Count == 0)
        {
            return;
        }

        foreach (var (context, asked) in _asked.Where(a => nowMs - a.Value.AskedMs > patienceMs).ToList())
        {
            _asked.Remove(context);
            Fail(asked.Readers, noLeader());
        }

        if (_admitted.Count > 0 && nowMs - _progressMs > patienceMs)
        {
            FailAdmitted(noLeader());
        }
    }

    public void FailAll(Exception error)
    {
        Fail(_new, error);
        foreach (var asked in _asked.Values)
        {
            Fail(asked.Readers, error);
        }

        FailAdmitted(error);
    }

    private void FailAdmitted(Exception error)
    {
        while (_admitted.TryDequeue(out var readers, out _))
        {
            Fail(readers, error);
        }
    }

    private static void Fail(List<TaskCompletionSource> readers, Exception error) => readers.ForEach(r => r.TrySetException(error));
}
