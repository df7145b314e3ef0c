namespace Skep.Sketches;

/// <summary>What can be told of saved bytes before they are read.</summary>
public static class Sketch
{
    /// <summary>What the bytes say they are (a Redis string is a HyperLogLog), checked no further; null where they are no saved sketch.</summary>
    public static SketchKind? KindOf(ReadOnlySpan<byte> bytes) =>
        RedisString.Is(bytes) ? SketchKind.HyperLogLog : Envelope.KindOf(bytes);
}
