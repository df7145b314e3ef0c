namespace Skep.Bench.Coordination;

/// <summary>One line of a load client's; what a mode does not tell is 0.</summary>
/// <param name="Count">Answers without an error.</param>
/// <param name="Seconds">How long it went on.</param>
/// <param name="Errors">Answers with an error, or sessions lost.</param>
/// <param name="GapMs">The longest time between two answers.</param>
/// <param name="CpuSeconds">The client's own processor time.</param>
/// <param name="Histogram">Latencies in microseconds, and how often each came.</param>
internal sealed record LoadResult(long Count, double Seconds, long Errors, double GapMs, double CpuSeconds, long[][]? Histogram)
{
    public double PerSecond => Count / Seconds;

    /// <summary>What several clients did beside each other.</summary>
    public static LoadResult Together(IReadOnlyCollection<LoadResult> results) => new(
        results.Sum(static r => r.Count),
        results.Max(static r => r.Seconds),
        results.Sum(static r => r.Errors),
        results.Min(static r => r.GapMs),
        results.Sum(static r => r.CpuSeconds),
        [.. results.SelectMany(static r => r.Histogram!).GroupBy(static b => b[0], static b => b[1]).OrderBy(static g => g.Key).Select(static g => (long[])[g.Key, g.Sum()])]);

    public double PercentileMs(double part)
    {
        double left = part * Count;
        foreach (long[] bucket in Histogram!)
        {
            left -= bucket[1];
            if (left <= 0)
            {
                return bucket[0] / 1000.0;
            }
        }
        return 0;
    }
}

/// <summary>What became of many sessions.</summary>
/// <param name="Open">How many are open.</param>
/// <param name="Seconds">How long it took to open them.</param>
/// <param name="Errors">How many were lost.</param>
internal sealed record SessionResult(int Open, double Seconds, int Errors);

/// <summary>How many watches a write fired, and how long after it the last one's event came.</summary>
internal sealed record WatchResult(int Count, double IssueToLastUs, double AnswerToLastUs);
