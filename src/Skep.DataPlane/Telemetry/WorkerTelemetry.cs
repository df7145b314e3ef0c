using Skep.Sketches;

namespace Skep.DataPlane.Telemetry;

/// <summary>
/// A worker's sketch of its traffic. Only the worker writes it, without a lock; who wants to read hands in an empty one, and gets the
/// full one when the worker next passes by.
/// </summary>
/// <param name="seed">Of the sketches.</param>
internal sealed class WorkerTelemetry(SketchSeed seed) : IDisposable
{
    private readonly Lock _reading = new();
    private readonly ManualResetEventSlim _exchanged = new();
    private TrafficSketch? _offered;
    private TrafficSketch? _taken;

    /// <summary>The worker's, to write to.</summary>
    public TrafficSketch Current { get; private set; } = new(seed);

    /// <summary>The worker passes by: gives its sketch to the reader who waits, if one does.</summary>
    public void Pass()
    {
        if (Volatile.Read(ref _offered) is null || Interlocked.Exchange(ref _offered, null) is not { } empty)
        {
            return;
        }
        (_taken, Current) = (Current, empty);
        _exchanged.Set();
    }

    /// <summary>What was counted since the last time.</summary>
    /// <param name="patience">How long to wait for the worker; it looks in ten times a second at least while it works.</param>
    /// <returns>Null where the worker did not come by.</returns>
    public TrafficSketch? Take(TimeSpan patience)
    {
        lock (_reading)
        {
            _exchanged.Reset();
            Volatile.Write(ref _offered, new TrafficSketch(seed));
            if (!_exchanged.Wait(patience) && Interlocked.Exchange(ref _offered, null) is not null)
            {
                return null;
            }
            // The worker took the offer: it is about to set the event, if it has not yet.
            _exchanged.Wait();
            return _taken;
        }
    }

    public void Dispose() => _exchanged.Dispose();
}
