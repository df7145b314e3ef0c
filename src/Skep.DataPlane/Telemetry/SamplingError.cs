namespace Skep.DataPlane.Telemetry;

/// <summary>
/// How far a count may lie from the truth because not every packet was counted. Of n packets each counted with probability 1/8 as eight,
/// the count has the variance 7n at most; three standard errors and a term for small counts hold for all but 3 of 1,000.
/// </summary>
internal static class SamplingError
{
    private const int Errors = 3;
    private const int Others = PacketSampling.Every - 1;

    /// <summary>Of a count of packets.</summary>
    /// <param name="counted">The count.</param>
    /// <param name="traffic">Where it was counted.</param>
    public static long OfPackets(long counted, TrafficSketch traffic) => traffic.SampledPackets == 0 ? 0 : Of(Math.Min(counted, traffic.SampledPackets), 1);

    /// <summary>Of a count of bytes: as far as if all had come in the longest frames, which vary most.</summary>
    /// <inheritdoc cref="OfPackets"/>
    public static long OfBytes(long counted, TrafficSketch traffic) =>
        traffic.SampledPackets == 0 ? 0 : Of(Math.Min(counted, traffic.SampledPackets * traffic.LongestSampledBytes), traffic.LongestSampledBytes);

    private static long Of(long counted, long unit) => (long)Math.Ceiling(Errors * Math.Sqrt((double)Others * counted * unit)) + Errors * Errors * Others * unit;
}
