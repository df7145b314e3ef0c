using Skep.Sketches;

namespace Skep.DataPlane.Telemetry;

/// <summary>What the workers counted, in slices of time, of which the last ones and the sum of all are kept.</summary>
/// <param name="seed">Of the workers' sketches.</param>
/// <param name="time">The clock.</param>
internal sealed class TrafficHistory(SketchSeed seed, TimeProvider time)
{
    /// <summary>How long a slice lasts.</summary>
    public static readonly TimeSpan Slice = TimeSpan.FromSeconds(10);

    private const int KeptSlices = 6;
    private readonly Lock _gate = new();
    private readonly Queue<(long Began, TrafficSketch Traffic)> _slices = [];
    private readonly long _started = time.GetTimestamp();
    private readonly TrafficSketch _all = new(seed);
    private TrafficSketch _open = new(seed);
    private long _opened = time.GetTimestamp();

    /// <summary>Adds what a worker counted since the last time.</summary>
    public void Add(TrafficSketch traffic)
    {
        lock (_gate)
        {
            // What comes after a silence belongs to a slice of its own.
            CloseIfOver();
            _all.Merge(traffic);
            _open.Merge(traffic);
            CloseIfOver();
        }
    }

    private void CloseIfOver()
    {
        if (time.GetElapsedTime(_opened) < Slice)
        {
            return;
        }
        _slices.Enqueue((_opened, _open));
        (_open, _opened) = (new TrafficSketch(seed), time.GetTimestamp());
        while (_slices.Count > KeptSlices)
        {
            _slices.Dequeue();
        }
    }

    /// <summary>The traffic since the start, or of about the last minute; and how long that is.</summary>
    public (TrafficSketch Traffic, TimeSpan Window) Read(bool sinceStart)
    {
        lock (_gate)
        {
            CloseIfOver();
            var sum = new TrafficSketch(seed);
            if (sinceStart)
            {
                sum.Merge(_all);
                return (sum, time.GetElapsedTime(_started));
            }
            long began = _opened;
            foreach ((long sliceBegan, TrafficSketch traffic) in _slices.Where(s => time.GetElapsedTime(s.Began) <= (KeptSlices + 1) * Slice))
            {
                sum.Merge(traffic);
                began = Math.Min(began, sliceBegan);
            }
            sum.Merge(_open);
            return (sum, time.GetElapsedTime(began));
        }
    }
}
