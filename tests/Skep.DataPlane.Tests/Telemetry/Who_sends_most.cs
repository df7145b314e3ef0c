using Microsoft.Extensions.Time.Testing;
using Skep.DataPlane.Balancing.Configuration;
using Skep.DataPlane.Packets;
using Skep.DataPlane.Telemetry;
using Skep.Sketches;

namespace Skep.DataPlane.Tests.Telemetry;

public sealed class Who_sends_most
{
    private static readonly IpAddr Loud = IpAddr.Parse("192.0.2.50"), Quiet = IpAddr.Parse("192.0.2.60");
    private static readonly SketchSeed Seed = SketchSeed.Create();

    [Fact]
    public async Task A_reader_gets_what_the_worker_counted_since_the_last_time()
    {
        using var rig = new Rig(Rig.Config(Rig.Service(BalanceMode.Nat, 2)));
        foreach (int packets in (int[])[30, 5])
        {
            for (int i = 0; i < packets; i++)
            {
                rig.Send((ushort)(1000 + i), client: Loud);
            }
            rig.Send(999, client: Quiet);
            TrafficSketch taken = await TakeAsync(rig);
            Assert.Equal([(Loud, (long)packets), (Quiet, 1L)], taken.Packets.Top(10).Select(h => (ClientKey.Read(h.Key), h.Count)));
            Assert.Equal(54L * (packets + 1), taken.Bytes.Total);
        }
    }

    [Fact]
    public void A_reader_does_not_wait_for_ever_for_a_worker_that_stands_still()
    {
        using var telemetry = new WorkerTelemetry(Seed);
        Assert.Null(telemetry.Take(TimeSpan.FromMilliseconds(1)));
        telemetry.Current.Add(Loud, 100);
        telemetry.Pass();
        Assert.Equal(1, telemetry.Current.Packets.Total);
    }

    [Fact]
    public void The_last_minute_forgets_what_the_whole_time_keeps()
    {
        var time = new FakeTimeProvider();
        var history = new TrafficHistory(Seed, time);
        for (int slice = 0; slice < 20; slice++)
        {
            history.Add(Of(slice == 0 ? Loud : Quiet, 100));
            time.Advance(TrafficHistory.Slice);
        }
        (TrafficSketch all, TimeSpan whole) = history.Read(sinceStart: true);
        Assert.Equal((2_000L, TimeSpan.FromSeconds(200)), (all.Packets.Total, whole));
        (TrafficSketch recent, TimeSpan window) = history.Read(sinceStart: false);
        Assert.Equal([Quiet], recent.Packets.Top(10).Select(h => ClientKey.Read(h.Key)));
        Assert.InRange(window, TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(80));
        Assert.InRange(recent.Packets.Total, 600, 800);
    }

    [Fact]
    public void Silence_leaves_nothing_in_the_last_minute()
    {
        var time = new FakeTimeProvider();
        var history = new TrafficHistory(Seed, time);
        history.Add(Of(Loud, 10));
        time.Advance(TrafficHistory.Slice);
        history.Add(Of(Loud, 10));
        time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(0, history.Read(sinceStart: false).Traffic.Packets.Total);
        Assert.Equal(20, history.Read(sinceStart: true).Traffic.Packets.Total);
    }

    [Fact]
    public void What_comes_after_a_silence_is_seen_at_once()
    {
        var time = new FakeTimeProvider();
        var history = new TrafficHistory(Seed, time);
        history.Add(Of(Quiet, 10));
        time.Advance(TimeSpan.FromMinutes(10));
        history.Add(Of(Loud, 500));
        time.Advance(TimeSpan.FromSeconds(2));
        (TrafficSketch recent, TimeSpan window) = history.Read(sinceStart: false);
        Assert.Equal((500L, TimeSpan.FromSeconds(2)), (recent.Packets.Total, window));
    }

    [Fact]
    public void Counting_allocates_nothing_on_the_way_of_a_packet()
    {
        using var rig = new Rig(Rig.Config(Rig.Service(BalanceMode.Nat, 4)) with { Denied = [Quiet] });
        byte[] frame = Frames.Frame(Frames.Tcp(Loud, 1000, Rig.Vip4, 80, TcpFlags.Ack));
        for (int warm = 0; warm < 2; warm++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < 1_000; i++)
            {
                rig.Front.Inject(frame);
                rig.Worker.RunOnce();
                while (rig.Back.TryPeek(out _))
                {
                    rig.Back.Advance();
                }
            }
            Assert.True(warm == 0 || GC.GetAllocatedBytesForCurrentThread() == before, $"{GC.GetAllocatedBytesForCurrentThread() - before} bytes");
        }
    }

    private static TrafficSketch Of(IpAddr client, int packets)
    {
        var sketch = new TrafficSketch(Seed);
        for (int i = 0; i < packets; i++)
        {
            sketch.Add(client, 60);
        }
        return sketch;
    }

    private static async Task<TrafficSketch> TakeAsync(Rig rig)
    {
        Task<TrafficSketch?> taking = Task.Run(() => rig.Traffic.Take(TimeSpan.FromSeconds(30)));
        while (!taking.IsCompleted)
        {
            rig.Worker.RunOnce();
            await Task.Yield();
        }
        return (await taking)!;
    }
}
