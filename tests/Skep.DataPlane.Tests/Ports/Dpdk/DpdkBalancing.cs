using Microsoft.Extensions.Time.Testing;
using Skep.DataPlane.Balancing.Configuration;
using Skep.DataPlane.Balancing.Flows;
using Skep.DataPlane.Buffers;
using Skep.DataPlane.Engine;
using Skep.DataPlane.Packets;
using Skep.DataPlane.Ports;
using Skep.DataPlane.Ports.AfPacket;
using Skep.DataPlane.Ports.Dpdk;
using Skep.DataPlane.Tests.Workers;
using Skep.DataPlane.Workers;

namespace Skep.DataPlane.Tests.Ports.Dpdk;

public sealed class DpdkBalancing
{
    [Fact]
    public void A_worker_balances_from_a_dpdk_port_to_another_and_loses_no_mbuf()
    {
        DpdkFixture.Require();
        const int clients = 500;
        using var pool = new MbufPool(2048);
        using (var front = new DpdkPort("net_ring24", pool))
        using (var back = new DpdkPort("net_ring25", pool))
        {
            var tables = new TableSource(Rig.Config(Rig.Service(BalanceMode.Nat, 4)));
            foreach (var neighbor in tables.Current.KnownNeighbors)
            {
                neighbor.Learn(Rig.MacOf(neighbor.Address), 0);
            }
            using var worker = new BalancerWorker<BusyWait>([new WorkerPort(front), new WorkerPort(new SendsOnly(back))], tables, pool, new FlowLimits { Capacity = 4096 }, new FakeTimeProvider());
            var got = new List<byte[]>();
            var burst = new Packet[32];
            // The worker's questions to its neighbours, which it asks once in this standing time.
            worker.RunOnce();
            Array.ForEach([front, back], port => port.Return(burst.AsSpan(0, port.Receive(burst))));
            for (ushort client = 1; client <= clients; client++)
            {
                Assert.True(pool.TryCopy(Frames.Frame(Frames.Tcp(Rig.Client4, client, Rig.Vip4, 80, TcpFlags.Syn, new byte[client]), destination: front.Mac), out burst[0]));
                Assert.Equal(1, front.Send(burst.AsSpan(0, 1)));
                worker.RunOnce();
                DpdkFixture.Receive(back, client, got, burst);
            }
            Assert.Equal(clients, worker.Counters.Forwarded);
            for (int client = 1; client <= clients; client++)
            {
                PacketHeaders h = Rig.Headers(got[client - 1]);
                Frames.AssertChecksums(got[client - 1]);
                Assert.Equal((client, 8080), (h.SourcePort, h.DestinationPort));
                Assert.Equal(Rig.MacOf(h.Destination), MacAddress.Read(got[client - 1]));
            }
        }
        Assert.Equal(2048, pool.Available);
    }

    [Fact]
    public void Two_workers_balance_over_two_queues_of_devices_that_spread_frames()
    {
        Netns.RequireRoot();
        DpdkFixture.Require();
        using var net = new Netns();
        string name = net.Add("dw");
        Netns.Shell(name, "echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6");
        Netns.Run(name, () =>
        {
            BalanceByTwo();
            return true;
        });
    }

    // The kernel is at the far side of both devices and spreads what is sent by them over their queues.
    private static void BalanceByTwo()
    {
        const int clients = 100;
        MbufPool[] pools = [new(2048), new(2048)];
        using var farPool = new PacketPool(256);
        using (OpenWires front = PortDrivers.Open(PortSpec.Parse("dpdk:net_tap20,iface=skdf,descriptors=256"), pools))
        using (OpenWires back = PortDrivers.Open(PortSpec.Parse("dpdk:net_tap21,iface=skdb,descriptors=256"), pools))
        using (IPort client = new AfPacketPort("skdf", farPool), backend = new AfPacketPort("skdb", farPool))
        {
            Assert.Equal(("net_tap20", 2), (front.Name, front.Queues.Count));
            var tables = new TableSource(Rig.Config(Rig.Service(BalanceMode.Nat, 4)));
            foreach (var neighbor in tables.Current.KnownNeighbors)
            {
                neighbor.Learn(Rig.MacOf(neighbor.Address), 0);
            }
            BalancerWorker<YieldWait>[] workers = [.. pools.Select((pool, i) =>
                new BalancerWorker<YieldWait>([new WorkerPort(front.Queues[i]), new WorkerPort(back.Queues[i])], tables, pool, new FlowLimits { Capacity = 4096 }, TimeProvider.System))];
            WorkerPeers.Connect(workers, pools[0].BufferBytes, TimeProvider.System);
            using var stop = new CancellationTokenSource();
            Thread[] threads = [.. workers.Select(w => new Thread(() => w.Run(stop.Token)))];
            Array.ForEach(threads, static t => t.Start());
            for (ushort port = 1; port <= clients; port++)
            {
                PacketHeaders there = Pass(client, backend, Frames.Frame(Frames.Tcp(Rig.Client4, port, Rig.Vip4, 80, TcpFlags.Syn), destination: front.Queues[0].Mac), port);
                PacketHeaders answer = Pass(backend, client, Frames.Frame(Frames.Tcp(there.Destination, 8080, Rig.Client4, port, TcpFlags.Syn | TcpFlags.Ack), Rig.MacOf(there.Destination), back.Queues[0].Mac), port);
                Assert.Equal((Rig.Vip4, 80, Rig.Client4), (answer.Source, answer.SourcePort, answer.Destination));
            }
            stop.Cancel();
            Array.ForEach(threads, static t => t.Join());
            Assert.Equal((clients, clients), (workers.Sum(static w => w.Counters.Forwarded), workers.Sum(static w => w.Counters.Returned)));
            Assert.All(workers, static w => Assert.InRange(w.Counters.Forwarded, 1, clients - 1));
            Array.ForEach(workers, static w => w.Dispose());
        }
        Assert.All(pools, static p => Assert.Equal(2048, p.Available));
        Array.ForEach(pools, static p => p.Dispose());

        PacketHeaders Pass(IPort from, IPort to, byte[] frame, ushort port)
        {
            PacketHeaders came = default;
            Assert.True(farPool.TryCopy(frame, out Packet packet));
            DpdkFixture.Until($"{from.Name} takes a frame", () => from.Send([packet]) == 1);
            DpdkFixture.Until($"a frame of connection {port} comes by {to.Name}", () =>
            {
                var burst = new Packet[8];
                int count = to.Receive(burst);
                foreach (Packet one in burst.AsSpan(0, count))
                {
                    // The workers ask for their neighbours, too.
                    came = PacketParser.Parse(one.Bytes, out PacketHeaders h) == PacketFault.None && h.Protocol == IpProtocol.Tcp ? h : came;
                }
                to.Return(burst.AsSpan(0, count));
                return came.SourcePort == port || came.DestinationPort == port;
            });
            return came;
        }
    }

    /// <summary>A port that only sends: what comes back is the test's.</summary>
    private sealed class SendsOnly(DpdkPort port) : IPort
    {
        public string Name => port.Name;

        public MacAddress Mac => Rig.BackMac;

        public int WaitDescriptor => -1;

        public PacketPool Pool => port.Pool;

        public PortCounters Counters => port.Counters;

        public int Receive(Span<Packet> burst) => 0;

        public int Send(ReadOnlySpan<Packet> burst) => port.Send(burst);

        public void Return(ReadOnlySpan<Packet> burst) => port.Return(burst);

        public void Dispose()
        {
        }
    }
}
