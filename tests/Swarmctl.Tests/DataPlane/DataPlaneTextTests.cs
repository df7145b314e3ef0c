using Google.Protobuf.WellKnownTypes;
using Skep.V1;
using Swarmctl.DataPlane;
using Swarmctl.Tests.Support;

namespace Swarmctl.Tests.DataPlane;

/// <summary>What people read of a data plane.</summary>
public sealed class DataPlaneTextTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 29, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Services_tell_of_each_backend_how_it_fares_and_why() => GoldenFile.Matches("dataplane-services", StatsText.Services(Stats()).ToString());

    [Fact]
    public void Stats_tell_what_was_done_and_why_packets_were_dropped()
    {
        var text = new StringWriter();
        StatsText.Write(text, Stats(), Now);
        GoldenFile.Matches("dataplane-stats", text.ToString());
    }

    [Fact]
    public void Top_tells_shares_rates_and_bounds() => GoldenFile.Matches(
        "dataplane-top", $"{TopText.Of(Top(), byBytes: false)}{TopText.Summary(Top(), byBytes: false)}\n{TopText.Of(Top(), byBytes: true)}{TopText.Summary(Top(), byBytes: true)}\n");

    [Fact]
    public void Top_says_that_a_busy_data_plane_did_not_count_every_packet()
    {
        TopTalkers top = Top();
        Assert.DoesNotContain("one in eight", TopText.Summary(top, byBytes: false), StringComparison.Ordinal);
        top.SampledPackets = 90_000;
        Assert.EndsWith(
            " 75 % were counted one in eight, since the data plane was busy: what is said holds for all but 3 of 1,000 clients.",
            TopText.Summary(top, byBytes: false),
            StringComparison.Ordinal);
    }

    private static TopTalkers Top() => new()
    {
        Window = Duration.FromTimeSpan(TimeSpan.FromSeconds(60)),
        Packets = 120_000,
        Bytes = 90_000_000,
        ByPackets = { new TopTalker { Address = "192.0.2.10", AtLeast = 60_000, AtMost = 60_000 }, new TopTalker { Address = "2001:db8::7", AtLeast = 29_000, AtMost = 30_000 } },
        ByBytes = { new TopTalker { Address = "2001:db8::7", AtLeast = 80_000_000, AtMost = 81_000_000 } },
        OthersPacketsAtMost = 400,
        OthersBytesAtMost = 32_768,
    };

    private static DataPlaneStats Stats() => new()
    {
        Version = 7,
        StartedAt = Timestamp.FromDateTimeOffset(Now.AddHours(-3)),
        Ports =
        {
            new DataPlanePort { Name = "eth1", Driver = "afpacket", Mac = "02:00:00:00:00:01", Addresses = { "192.0.2.1/24", "2001:db8::1/64" }, Received = 1_234_567, Sent = 1_234_000, TooLong = 2, OffloadRefused = 1, ChecksumsCompleted = 12, Segmented = 3 },
            new DataPlanePort { Name = "eth2", Driver = "afpacket", Mac = "02:00:00:00:00:02", Addresses = { "10.0.0.1/16" }, Received = 9, Sent = 10, Note = "dpdk:0000:00:05.0 did not start, so its fallback works: no hugepages" },
        },
        Workers =
        {
            new DataPlaneWorker { Number = 0, Forwarded = 1_200_000, Returned = 1_100_000, Answered = 40, IcmpErrors = 3, ToKernel = 50, Flows = 4_096, FlowsRefused = 5, HandedOver = 500_000, TakenOver = 490_000 },
            new DataPlaneWorker { Number = 1, Forwarded = 7, HandedOver = 490_000, TakenOver = 500_000, Stopped = "core 9 cannot be had" },
        },
        Services =
        {
            new ServiceStats
            {
                Name = "web", Address = "198.51.100.1", Port = 80, Clients = 12_345, ClientsError = 100,
                Backends =
                {
                    new BackendStats { Address = "10.0.0.2", Port = 8080, Weight = 1, Packets = 1_000_000, Bytes = 1_500_000_000, Flows = 4_000 },
                    new BackendStats { Address = "10.0.0.3", Port = 8080, Weight = 2, State = BackendStats.Types.State.Down, Why = "10.0.0.3:8080: Connection refused", Packets = 200_000, Bytes = 2_048, Flows = 96 },
                    new BackendStats { Address = "10.0.0.4", Port = 8080, Weight = 1, State = BackendStats.Types.State.Draining },
                },
            },
            new ServiceStats
            {
                Name = "dns", Address = "2001:db8:f::1", Port = 53, Protocol = VirtualService.Types.Protocol.Udp, Mode = VirtualService.Types.Mode.Dsr,
                Backends = { new BackendStats { Address = "2001:db8:b::2", Port = 53, Weight = 1, State = BackendStats.Types.State.Checking } },
            },
            new ServiceStats { Name = "empty", Address = "198.51.100.2", Port = 443 },
        },
        Drops = { new DropCount { Reason = "denied", Packets = 17 }, new DropCount { Reason = "next-hop-unknown", Packets = 4 } },
        FirstSeen = new FirstSeenClients { Count = 12_000, Last = { new FirstSeenClient { Address = "192.0.2.99", At = Timestamp.FromDateTimeOffset(Now.AddSeconds(-5)) } } },
    };
}
