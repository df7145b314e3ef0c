namespace Skep.DataPlane.Capture;

/// <summary>A tap for each worker, read as one: none of them ever waits for another.</summary>
internal sealed class CaptureTaps : IDisposable
{
    private readonly CaptureTap[] _taps;
    private readonly long[] _lost;

    /// <param name="workers">How many; the frames that wait are bounded over all.</param>
    /// <param name="filter">What is wanted.</param>
    /// <param name="maxFrameBytes">Frames are cut off behind this.</param>
    /// <param name="time">Stamps them.</param>
    public CaptureTaps(int workers, CaptureFilter filter, int maxFrameBytes, TimeProvider time)
    {
        _taps = [.. Enumerable.Range(0, workers).Select(_ => new CaptureTap(filter, maxFrameBytes, time, CaptureTap.RingFrames / workers))];
        _lost = new long[workers];
    }

    /// <summary>The tap of a worker.</summary>
    public CaptureTap this[int worker] => _taps[worker];

    /// <summary>The oldest frame of those that wait.</summary>
    public bool TryRead(out Captured captured)
    {
        int oldest = -1;
        long oldestNs = long.MaxValue;
        for (int i = 0; i < _taps.Length; i++)
        {
            if (_taps[i].OldestUnixNs is { } ns && ns < oldestNs)
            {
                (oldest, oldestNs) = (i, ns);
            }
        }
        captured = default;
        if (oldest < 0 || !_taps[oldest].TryRead(out captured))
        {
            return false;
        }
        _lost[oldest] = captured.LostBefore;
        captured = captured with { LostBefore = _lost.Sum() };
        return true;
    }

    /// <summary>Frees the rings. No worker may hold a tap any more.</summary>
    public void Dispose() => Array.ForEach(_taps, static t => t.Dispose());
}
