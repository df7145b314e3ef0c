using System.Runtime.CompilerServices;
using Skep.Sketches;
using Swarmctl.Sketches.Reading;

namespace Swarmctl.Sketches;

/// <summary>Takes keys and does nothing: what splitting and counting alone costs.</summary>
internal readonly struct LineSink : IKeySink
{
    public bool TryTake(ReadOnlySpan<byte> key) => true;
}

internal readonly struct DistinctSink(HyperLogLog sketch) : IKeySink
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryTake(ReadOnlySpan<byte> key)
    {
        sketch.Add(key);
        return true;
    }
}

internal readonly struct TopSink(HeavyHitters sketch) : IKeySink
{
    public bool TryTake(ReadOnlySpan<byte> key)
    {
        if (key.Length > HeavyHitters.MaxKeyBytes)
        {
            return false;
        }
        sketch.Add(key);
        return true;
    }
}

internal readonly struct FrequencySink(CountMinSketch sketch) : IKeySink
{
    public bool TryTake(ReadOnlySpan<byte> key)
    {
        sketch.Add(key);
        return true;
    }
}

internal readonly struct BloomSink(ConcurrentBloomFilter filter) : IKeySink
{
    public bool TryTake(ReadOnlySpan<byte> key)
    {
        filter.Add(key);
        return true;
    }
}

/// <summary>Writes the key of each line, behind it the names of the filters that may hold it, as the flags want it.</summary>
internal readonly struct LookUpSink(LookUp lookUp) : IKeySink
{
    public bool TryTake(ReadOnlySpan<byte> key)
    {
        lookUp.Take(key);
        return true;
    }
}
