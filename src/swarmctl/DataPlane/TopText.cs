using Skep.V1;
using Swarmctl.Output;

namespace Swarmctl.DataPlane;

/// <summary>Who sends most, for people.</summary>
internal static class TopText
{
    public static TabText Of(TopTalkers top, bool byBytes)
    {
        double seconds = Math.Max(top.Window.ToTimeSpan().TotalSeconds, 0.001);
        ulong all = byBytes ? top.Bytes : top.Packets;
        TabText table = byBytes ? TabText.ForList().Header("Client", "Bytes", "Share", "a second") : TabText.ForList().Header("Client", "Packets", "Share", "a second");
        foreach (TopTalker t in byBytes ? top.ByBytes : top.ByPackets)
        {
            table.Line($"{t.Address}\t{Amount(t.AtMost, byBytes)}{Doubt(t, byBytes)}\t{100.0 * t.AtMost / Math.Max(all, 1):0.0} %\t{Amount(t.AtMost / seconds, byBytes)}");
        }
        return table;
    }

    public static string Summary(TopTalkers top, bool byBytes)
    {
        double seconds = Math.Max(top.Window.ToTimeSpan().TotalSeconds, 0.001);
        return $"{top.Packets:N0} packets, {HumanSize.Of(top.Bytes)} of clients in {seconds:0} s: {top.Packets / seconds:N0} packets and {HumanSize.Of(top.Bytes / seconds)} a second. "
            + $"Nobody else sent more than {Amount(byBytes ? top.OthersBytesAtMost : top.OthersPacketsAtMost, byBytes)}."
            + (top.SampledPackets == 0 ? "" : $" {100.0 * top.SampledPackets / Math.Max(top.Packets, 1):0} % were counted one in eight, since the data plane was busy: what is said holds for all but 3 of 1,000 clients.");
    }

    private static string Amount(double amount, bool bytes) => bytes ? HumanSize.Of(amount) : $"{amount:N0}";

    private static string Doubt(TopTalker t, bool bytes) => t.AtLeast == t.AtMost ? "" : $" (at least {Amount(t.AtLeast, bytes)})";
}
