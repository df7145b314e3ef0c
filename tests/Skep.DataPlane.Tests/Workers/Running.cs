using Skep.DataPlane.Balancing.Configuration;
using Skep.DataPlane.Balancing.Flows;
using Skep.DataPlane.Buffers;
using Skep.DataPlane.Packets;
using Skep.DataPlane.Ports;
using Skep.DataPlane.Workers;

namespace Skep.DataPlane.Tests.Workers;

public sealed class Running
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public void A_busy_worker_loses_nothing_while_configurations_are_exchanged_under_it() => LoseNothing<BusyWait>();

    [Fact]
    public void A_yielding_worker_loses_nothing_while_configurations_are_exchanged_under_it() => LoseNothing<YieldWait>();

    [Fact]
    public void A_sleeping_worker_loses_nothing_while_configurations_are_exchanged_under_it() => LoseNothing<AdaptiveSleep>();

    [Fact]
    public void A_worker_refuses_a_port_whose_packets_are_another_pools()
    {
        using var rig = new Rig(Rig.Config(Rig.Service(BalanceMode.Nat, 1)));
        using var others = new PacketPool(4);
        using var port = new MemoryPort("m", Rig.FrontMac, others);
        Assert.Throws<ArgumentException>("ports", () => new BalancerWorker<BusyWait>([new WorkerPort(rig.Front), new WorkerPort(port)], rig.Tables, rig.Pool, new FlowLimits(), TimeProvider.System));
        Assert.Throws<ArgumentException>("ports", () => new BalancerWorker<BusyWait>([new WorkerPort(rig.Front, port), new WorkerPort(rig.Back)], rig.Tables, rig.Pool, new FlowLimits(), TimeProvider.System));
    }

    private static void LoseNothing<TWait>() where TWait : struct, IWaitStrategy
    {
        const int packets = 20_000;
        ServiceConfig service = Rig.Service(BalanceMode.Nat, 8);
        using var rig = new Rig(Rig.Config(service));
        using var worker = new BalancerWorker<TWait>([new WorkerPort(rig.Front), new WorkerPort(rig.Back)], rig.Tables, rig.Pool,
            new FlowLimits { Capacity = 4096 }, TimeProvider.System);
        using var stop = new CancellationTokenSource(Patience);
        var running = new Thread(() => worker.Run(stop.Token));
        running.Start();
        byte[] frame = Frames.Frame(Frames.Tcp(Rig.Client4, 1, Rig.Vip4, 80, TcpFlags.Syn));
        int sent = 0, got = 0;
        while (got < packets)
        {
            Assert.False(stop.IsCancellationRequested, $"of {sent} packets sent {got} came within {Patience}");
            // No more under way than the rings hold, so that only the worker could lose any.
            while (sent < packets && sent - got < 100)
            {
                frame[35] = (byte)sent;
                Assert.True(rig.Front.Inject(frame));
                sent++;
            }
            rig.Tables.Replace(Rig.Config(service with { Backends = [.. service.Backends.Where((_, n) => n != sent % 8)] }));
            while (rig.Back.TryPeek(out ReadOnlySpan<byte> came))
            {
                got += PacketParser.Parse(came, out PacketHeaders h) == PacketFault.None && h.DestinationPort == 8080 ? 1 : 0;
                rig.Back.Advance();
            }
        }
        stop.Cancel();
        Assert.True(running.Join(Patience), "the worker did not stop");
        Assert.Equal(packets, worker.Counters.Forwarded);
    }
}
