using Skep.DataPlane.Balancing.Configuration;
using Skep.DataPlane.Control;
using Skep.DataPlane.Packets;
using Skep.DataPlane.Telemetry;
using Skep.Sketches;
using Skep.V1;

namespace Skep.DataPlane.Tests.Telemetry;

public sealed class Counting_while_busy
{
    private const int Burst = 32;
    private static readonly SketchSeed Seed = SketchSeed.Create();

    [Fact]
    public void Every_packet_is_counted_until_rounds_have_been_full_for_a_while_and_again_after_one_that_was_not()
    {
        var sampling = new PacketSampling();
        for (int round = 0; round < PacketSampling.FullRoundsUntilBusy; round++)
        {
            sampling.BeginBurst();
            Assert.All(Enumerable.Range(0, 64), place => Assert.Equal(1, sampling.WeightOf(place)));
            sampling.EndRound(wasFull: true);
        }
        Assert.True(sampling.IsSampling);
        sampling.EndRound(wasFull: false);
        Assert.False(sampling.IsSampling);
    }

    [Fact]
    public void One_of_each_eight_stands_for_eight_and_each_place_has_its_turn()
    {
        PacketSampling sampling = Busy();
        var turns = new int[64];
        for (int burst = 0; burst < 8_000; burst++)
        {
            sampling.BeginBurst();
            for (int eight = 0; eight < 64; eight += 8)
            {
                int[] weights = [.. Enumerable.Range(eight, 8).Select(p => sampling.WeightOf(p))];
                Assert.Equal(8, weights.Sum());
                turns[eight + Array.IndexOf(weights, 8)]++;
            }
        }
        // 1,000 expected of each, with a standard error of 30.
        Assert.All(turns, t => Assert.InRange(t, 850, 1_150));
    }

    [Theory]
    [InlineData("clients by turns")]
    [InlineData("a client has the same place of every eight")]
    [InlineData("a client has whole bursts")]
    [InlineData("some send much, most little")]
    public void Counts_lie_within_the_bounds_that_are_told_whatever_the_rhythm(string rhythm)
    {
        const int clients = 200, bursts = 4_000;
        PacketSampling sampling = Busy();
        var sketch = new TrafficSketch(Seed);
        var packets = new long[clients];
        var bytes = new long[clients];
        var random = new Random(7);
        for (int burst = 0; burst < bursts; burst++)
        {
            sampling.BeginBurst();
            for (int place = 0; place < Burst; place++)
            {
                int client = rhythm switch
                {
                    "clients by turns" => (burst * Burst + place) % clients,
                    "a client has the same place of every eight" => place % 8 + burst % 25 * 8,
                    "a client has whole bursts" => burst % clients,
                    _ => (int)(clients * Math.Pow(random.NextDouble(), 4)),
                };
                int size = 60 + client * 7;
                packets[client]++;
                bytes[client] += size;
                if (sampling.WeightOf(place) is var weight and > 0)
                {
                    sketch.Add(Client(client), size, weight);
                }
            }
        }
        TopTalkers top = TopWriting.Of(sketch, TimeSpan.FromSeconds(1), clients);
        Assert.Equal((ulong)bursts * Burst, top.Packets);
        Assert.Equal(top.Packets, top.SampledPackets);
        // All but three of a thousand: of two hundred, three would be a wonder.
        Assert.InRange(Outside(top.ByPackets, packets), 0, 2);
        Assert.InRange(Outside(top.ByBytes, bytes), 0, 2);
    }

    [Fact]
    public void A_worker_that_is_behind_counts_so_and_says_it_and_forwards_every_packet()
    {
        using var rig = new Rig(Rig.Config(Rig.Service(BalanceMode.Nat, 2)));
        byte[] frame = Frames.Frame(Frames.Tcp(Client(1), 1000, Rig.Vip4, 80, TcpFlags.Ack));
        const int rounds = 300;
        for (int round = 0; round < rounds; round++)
        {
            for (int i = 0; i < Burst; i++)
            {
                Assert.True(rig.Front.Inject(frame));
            }
            rig.Worker.RunOnce();
            while (rig.Back.Take() is not null)
            {
            }
        }
        Assert.Equal(rounds * Burst, rig.Worker.Counters.Forwarded);
        TrafficSketch counted = rig.Traffic.Current;
        Assert.Equal((rounds - PacketSampling.FullRoundsUntilBusy) * Burst, counted.SampledPackets);
        TopTalker client = Assert.Single(TopWriting.Of(counted, TimeSpan.FromSeconds(1), 10).ByPackets);
        Assert.InRange((ulong)(rounds * Burst), client.AtLeast, client.AtMost);
    }

    [Fact]
    public void Without_it_the_bounds_are_certain()
    {
        var sketch = new TrafficSketch(Seed);
        sketch.Add(Client(1), 60);
        TopTalkers top = TopWriting.Of(sketch, TimeSpan.FromSeconds(1), 10);
        Assert.Equal(0UL, top.SampledPackets);
        Assert.Equal((1UL, 1UL), (top.ByPackets[0].AtLeast, top.ByPackets[0].AtMost));
        Assert.Equal((60UL, 60UL), (top.ByBytes[0].AtLeast, top.ByBytes[0].AtMost));
    }

    private static PacketSampling Busy()
    {
        var sampling = new PacketSampling();
        for (int round = 0; round < PacketSampling.FullRoundsUntilBusy; round++)
        {
            sampling.EndRound(wasFull: true);
        }
        return sampling;
    }

    private static IpAddr Client(int number) => IpAddr.V4(0x0B00_0000 + (uint)number);

    private static int Outside(IEnumerable<TopTalker> told, long[] truth)
    {
        var byAddress = told.ToDictionary(static t => t.Address);
        return Enumerable.Range(0, truth.Length).Count(c => truth[c] > 0 && byAddress.TryGetValue(Client(c).ToString(), out TopTalker? t)
            && !((ulong)truth[c] >= t.AtLeast && (ulong)truth[c] <= t.AtMost));
    }
}
