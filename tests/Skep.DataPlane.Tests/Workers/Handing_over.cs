using Skep.DataPlane.Balancing.Configuration;
using Skep.DataPlane.Packets;
using Skep.DataPlane.Workers;

namespace Skep.DataPlane.Tests.Workers;

/// <summary>Frames between threads that sleep.</summary>
public sealed class Handing_over
{
    private const int PatienceMs = 60_000;
    private const int End = -1;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public void Whoever_sleeps_when_a_frame_comes_is_woken(int underWay)
    {
        const int hops = 100_000;
        Mailbox one = new(1, 64), other = new(1, 64);
        // The threads sleep for as long as the test has patience: one wakeup that is lost, and it fails.
        var threads = new Thread[] { new(() => Bounce(one, other)), new(() => Bounce(other, one)) };
        for (int i = 0; i < underWay; i++)
        {
            Assert.True(one.Rings[0].TryWrite([(byte)i], hops));
        }
        foreach (Thread thread in threads)
        {
            thread.IsBackground = true;
            thread.Start();
        }
        Assert.All(threads, t => Assert.True(t.Join(PatienceMs), $"within {PatienceMs} ms: a thread that a frame was handed to was not woken"));
        // Not before: a thread that was not woken may still be.
        one.Dispose();
        other.Dispose();

        void Bounce(Mailbox own, Mailbox to)
        {
            int[] bell = [own.WaitDescriptor];
            for (int ended = 0; ended < underWay;)
            {
                bool wrote = false;
                while (own.Rings[0].TryPeek(out ReadOnlySpan<byte> frame, out int left))
                {
                    // Each frame passes to and fro until its hops are used up, and once more to tell the other side.
                    ended += left <= 0 ? 1 : 0;
                    wrote |= left != End && to.Rings[0].TryWrite(frame, left - 1);
                    own.Rings[0].Advance();
                }
                if (wrote)
                {
                    to.Ring();
                }
                else if (ended < underWay)
                {
                    own.Sleep(bell, PatienceMs);
                }
            }
        }
    }

    [Fact]
    public void Workers_that_run_at_once_and_sleep_lose_nothing_while_configurations_are_exchanged_under_them()
    {
        const int packets = 20_000, connections = 100;
        ServiceConfig service = Rig.Service(BalanceMode.Nat, 8);
        using var crew = new Crew(2, Rig.Config(service));
        var random = new Random(11);
        var backends = new IpAddr[connections + 1];
        for (ushort port = 1; port <= connections; port++)
        {
            backends[port] = Rig.Headers(crew.ToBack(port % 2, Frames.Frame(Frames.Tcp(Rig.Client4, port, Rig.Vip4, 80, TcpFlags.Syn)))!).Destination;
            Assert.NotNull(crew.ToBack(port % 2, Frames.Frame(Frames.Tcp(Rig.Client4, port, Rig.Vip4, 80, TcpFlags.Ack))));
        }
        using var stop = new CancellationTokenSource(PatienceMs);
        Thread[] threads = [.. crew.Workers.Select(w => new Thread(() => w.Run(stop.Token)))];
        Array.ForEach(threads, static t => t.Start());
        int sent = 0, got = 0;
        while (got < packets)
        {
            Assert.False(stop.IsCancellationRequested, $"of {sent} packets sent {got} came within {PatienceMs} ms");
            // No more under way than the rings hold, so that only the workers could lose any.
            for (; sent < packets && sent - got < 100; sent++)
            {
                ushort port = (ushort)random.Next(1, connections + 1);
                bool forward = random.Next(2) == 0;
                byte[] frame = forward
                    ? Frames.Frame(Frames.Tcp(Rig.Client4, port, Rig.Vip4, 80, TcpFlags.Ack))
                    : Frames.Frame(Frames.Tcp(backends[port], 8080, Rig.Client4, port, TcpFlags.Ack), Rig.MacOf(backends[port]), Rig.BackMac);
                Assert.True((forward ? crew.Fronts : crew.Backs)[random.Next(2)].Inject(frame));
            }
            int resting = random.Next(8);
            crew.Replace(Rig.Config(service with { Backends = [.. service.Backends.Select((b, n) => b with { State = n == resting ? BackendState.Draining : BackendState.Active })] }));
            for (int worker = 0; worker < 2; worker++)
            {
                for (byte[]? frame; (frame = crew.Backs[worker].Take()) is not null; got++)
                {
                    PacketHeaders h = Rig.Headers(frame);
                    Assert.Equal((backends[h.SourcePort], 8080), (h.Destination, h.DestinationPort));
                }
                for (byte[]? frame; (frame = crew.Fronts[worker].Take()) is not null; got++)
                {
                    PacketHeaders h = Rig.Headers(frame);
                    Assert.Equal((Rig.Vip4, 80, Rig.Client4), (h.Source, h.SourcePort, h.Destination));
                }
            }
        }
        stop.Cancel();
        Assert.All(threads, t => Assert.True(t.Join(PatienceMs), "a worker did not stop"));
        Assert.All(crew.Workers, w => Assert.InRange(w.Counters.HandedOver, packets / 8, packets));
    }
}
