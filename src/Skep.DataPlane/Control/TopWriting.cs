using Google.Protobuf.WellKnownTypes;
using Skep.DataPlane.Telemetry;
using Skep.Sketches;
using Skep.V1;

namespace Skep.DataPlane.Control;

/// <summary>Who sends most, as the contracts say it.</summary>
internal static class TopWriting
{
    /// <summary>How many are told where nobody said how many.</summary>
    public const int UsualCount = 10;

    public static TopTalkers Of(TrafficSketch traffic, TimeSpan window, int count)
    {
        var top = new TopTalkers
        {
            Window = Duration.FromTimeSpan(window),
            Packets = (ulong)traffic.Packets.Total,
            Bytes = (ulong)traffic.Bytes.Total,
            OthersPacketsAtMost = Others(traffic.Packets, count, counted => SamplingError.OfPackets(counted, traffic)),
            OthersBytesAtMost = Others(traffic.Bytes, count, counted => SamplingError.OfBytes(counted, traffic)),
            SampledPackets = (ulong)traffic.SampledPackets,
        };
        top.ByPackets.AddRange(traffic.Packets.Top(count).Select(h => One(h, SamplingError.OfPackets(h.Count, traffic))));
        top.ByBytes.AddRange(traffic.Bytes.Top(count).Select(h => One(h, SamplingError.OfBytes(h.Count, traffic))));
        return top;
    }

    private static TopTalker One(HeavyHitter hit, long error) =>
        new() { Address = ClientKey.Read(hit.Key).ToString(), AtLeast = (ulong)Math.Max(hit.AtLeast - error, 1), AtMost = (ulong)(hit.Count + error) };

    private static ulong Others(HeavyHitters sketch, int count, Func<long, long> error)
    {
        long most = sketch.Top(count + 1) is { } more && more.Count > count ? Math.Max(more[count].Count, sketch.Floor) : sketch.Floor;
        return (ulong)(most + error(most));
    }
}
