namespace Skep.Raft.Consensus;

/// <summary>The terms of the log's entries, as runs: terms only rise along a log, and there are few of them.</summary>
internal sealed class TermRuns
{
    private readonly List<(ulong First, ulong Term)> _runs = [];

    /// <summary>The index before the first entry whose neighbours can be checked; its own term is known.</summary>
    public ulong BaseIndex { get; private set; }

    public ulong BaseTerm { get; private set; }

    public ulong LastIndex { get; private set; }

    public ulong LastTerm => LastIndex == BaseIndex ? BaseTerm : _runs[^1].Term;

    public void Reset(ulong index, ulong term)
    {
        _runs.Clear();
        BaseIndex = LastIndex = index;
        BaseTerm = term;
    }

    public void Append(ulong term)
    {
        LastIndex++;
        if (_runs.Count == 0 || _runs[^1].Term != term)
        {
            _runs.Add((LastIndex, term));
        }
    }

    public void TruncateFrom(ulong index)
    {
        LastIndex = index - 1;
        while (_runs.Count > 0 && _runs[^1].First > LastIndex)
        {
            _runs.RemoveAt(_runs.Count - 1);
        }
    }

    public void CompactTo(ulong index)
    {
        if (index <= BaseIndex || index > LastIndex)
        {
            return;
        }

        BaseTerm = TermAt(index)!.Value;
        BaseIndex = index;
        var keep = _runs.FindLastIndex(r => r.First <= index + 1);
        _runs.RemoveRange(0, Math.Max(keep, 0));
        if (LastIndex == BaseIndex)
        {
            _runs.Clear();
        }
        else if (_runs.Count > 0 && _runs[0].First <= index)
        {
            _runs[0] = (index + 1, _runs[0].Term);
        }
    }

    /// <summary>null when the entry is not held, or no longer.</summary>
    public ulong? TermAt(ulong index)
    {
        if (index < BaseIndex || index > LastIndex)
        {
            return null;
        }

        return index == BaseIndex ? BaseTerm : _runs[RunOf(index)].Term;
    }

    /// <summary>
    /// The last index up to <paramref name="index"/> whose term is not above <paramref name="term"/>: what lies behind it
    /// cannot agree with a log that has this term there. It does not go below the base, which is committed; below that terms
    /// are not known and come as 0.
    /// </summary>
    public (ulong Index, ulong Term) LastNotAbove(ulong index, ulong term)
    {
        index = Math.Min(index, LastIndex);
        while (index > BaseIndex)
        {
            var (first, runTerm) = _runs[RunOf(index)];
            if (runTerm <= term)
            {
                return (index, runTerm);
            }

            index = first - 1;
        }

        return index == BaseIndex ? (BaseIndex, BaseTerm) : (index, 0);
    }

    private int RunOf(ulong index)
    {
        int low = 0, high = _runs.Count - 1;
        while (low < high)
        {
            var middle = (low + high + 1) / 2;
            if (_runs[middle].First <= index)
            {
                low = middle;
            }
            else
            {
                high = middle - 1;
            }
        }

        return low;
    }
}
