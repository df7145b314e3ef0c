using Skep.DataPlane.Packets;

namespace Skep.DataPlane.Tests.Packets;

/// <summary>
/// Mutated frames by the million (by tens of them with SKEP_SOAK=1), each at the very end of a page behind which nothing may be
/// read: reading past a frame by one byte would end the process.
/// </summary>
public sealed class Fuzzing
{
    public static readonly int Rounds = Environment.GetEnvironmentVariable("SKEP_SOAK") == "1" ? 20_000_000 : 2_000_000;

    [Fact]
    public void No_frame_makes_the_parser_throw_or_read_past_its_end()
    {
        using var page = new GuardedPage();
        var random = new Random(20260711);
        byte[] buffer = new byte[GuardedPage.SizeBytes];
        int accepted = 0;
        for (int round = 0; round < Rounds; round++)
        {
            int length = Mutations.Fill(random, buffer);
            Span<byte> frame = page.AtEnd(length);
            buffer.AsSpan(0, length).CopyTo(frame);
            PacketFault fault = PacketParser.Parse(frame, out PacketHeaders h);
            Assert.Equal(PacketParser.ParseAny(frame, out PacketHeaders slow), fault);
            if (fault != PacketFault.None)
            {
                continue;
            }
            Assert.True(h.Equals(slow), $"round {round}: the way for usual packets reads another thing");
            accepted++;
            Assert.True(h.NetworkOffset <= h.TransportOffset && h.TransportOffset <= h.PayloadOffset && h.PayloadOffset <= h.End && h.End <= length,
                $"round {round}: offsets {h.NetworkOffset} {h.TransportOffset} {h.PayloadOffset} {h.End} of {length}");
            if (h.PayloadOffset < h.End)
            {
                PacketParser.ParseQuoted(frame[..h.End], h.PayloadOffset, (round & 1) == 0, out _);
            }
        }
        Assert.InRange(accepted, Rounds / 20, Rounds);
    }
}
