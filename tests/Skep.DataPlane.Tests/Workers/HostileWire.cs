using Skep.DataPlane.Balancing.Configuration;
using Skep.DataPlane.Balancing.Flows;
using Skep.DataPlane.Balancing.Neighbors;
using Skep.DataPlane.Buffers;
using Skep.DataPlane.Packets;
using Skep.DataPlane.Ports;
using Skep.DataPlane.Ports.AfPacket;
using Skep.DataPlane.Ports.AfXdp;
using Skep.DataPlane.Tests.Packets;
using Skep.DataPlane.Tests.Ports;
using Skep.DataPlane.Workers;

namespace Skep.DataPlane.Tests.Workers;

/// <summary>Whatever comes by a real wire, the worker goes on and no buffer is lost.</summary>
public sealed class HostileWire
{
    private const int Frames = 20_000;
    private static readonly IpAddr Service = IpAddr.Parse("198.51.100.1");

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_connection_passes_after_many_frames_that_are_almost_right(bool xdp)
    {
        using var net = new VethPair();
        net.AddCable("2");
        Netns.Command($"-n {net.Here} link set here address {Tests.Frames.Us}");
        using var pool = new PacketPool(2048);
        using var farPool = new PacketPool(1024);
        IPort Open(string device) => Netns.Run<IPort>(net.Here, () => xdp ? new AfXdpPort(device, pool) : new AfPacketPort(device, pool));
        using (IPort front = Open("here"), back = Open("here2"))
        using (IPort client = Netns.Run(net.There, () => new AfPacketPort("there", farPool)), backend = Netns.Run(net.There, () => new AfPacketPort("there2", farPool)))
        {
            var tables = new TableSource(new BalancerConfig
            {
                Interfaces = [new([LinkAddress.Parse("192.0.2.1/24"), LinkAddress.Parse("2001:db8::1/64")]), new([LinkAddress.Parse("10.0.0.1/24")])],
                Services = [new("web", Service, 80, IpProtocol.Tcp, BalanceMode.Nat, [new BackendConfig(IpAddr.Parse("10.0.0.2"), 8080)])],
            });
            foreach (Neighbor neighbor in tables.Current.KnownNeighbors)
            {
                neighbor.Learn(Tests.Frames.Client, 0);
            }
            using var worker = new BalancerWorker<BusyWait>([new WorkerPort(front), new WorkerPort(back)], tables, pool, new FlowLimits { Capacity = 4096 }, TimeProvider.System);
            var random = new Random(17);
            byte[] frame = new byte[2048];
            for (int i = 0; i < Frames; i++)
            {
                Put(client, farPool, frame.AsSpan(0, Mutations.Fill(random, frame)));
                worker.RunOnce();
                VethPair.Discard(client);
                VethPair.Discard(backend);
            }
            Assert.InRange(front.Counters.Received, Frames / 2, Frames + 100);
            byte[] opening = Tests.Frames.Frame(Tests.Frames.Tcp(IpAddr.Parse("192.0.2.99"), 4321, Service, 80, TcpFlags.Syn));
            VethPair.Until("a connection's first packet reaches the backend", () =>
            {
                Put(client, farPool, opening);
                worker.RunOnce();
                return Comes(backend, 4321, 8080);
            });
        }
        Assert.Equal(pool.Buffers, pool.Available);
    }

    private static void Put(IPort port, PacketPool pool, ReadOnlySpan<byte> frame)
    {
        if (pool.TryCopy(frame, out Packet packet) && port.Send([packet]) == 0)
        {
            port.Return([packet]);
        }
    }

    private static bool Comes(IPort port, int source, int destination)
    {
        var burst = new Packet[32];
        int count = port.Receive(burst);
        bool came = false;
        foreach (Packet packet in burst.AsSpan(0, count))
        {
            came |= PacketParser.Parse(packet.Bytes, out PacketHeaders h) == PacketFault.None && (h.SourcePort, h.DestinationPort) == (source, destination);
        }
        port.Return(burst.AsSpan(0, count));
        return came;
    }
}
