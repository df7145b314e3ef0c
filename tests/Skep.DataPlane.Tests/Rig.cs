using Microsoft.Extensions.Time.Testing;
using Skep.DataPlane.Balancing.Configuration;
using Skep.DataPlane.Balancing.Flows;
using Skep.DataPlane.Buffers;
using Skep.DataPlane.Packets;
using Skep.DataPlane.Ports;
using Skep.DataPlane.Telemetry;
using Skep.DataPlane.Workers;
using Skep.Sketches;

namespace Skep.DataPlane.Tests;

/// <summary>A worker between clients on one memory port and backends on another, its clock in the test's hand.</summary>
internal sealed class Rig : IDisposable
{
    public static readonly MacAddress FrontMac = Frames.Us, BackMac = MacAddress.Parse("02:00:00:00:00:02");
    public static readonly IpAddr Vip4 = IpAddr.Parse("198.51.100.1"), Vip6 = IpAddr.Parse("2001:db8:f::1");
    public static readonly IpAddr Client4 = IpAddr.Parse("192.0.2.77"), Client6 = IpAddr.Parse("2001:db8:c::77");
    public static readonly IReadOnlyList<InterfaceConfig> Interfaces =
    [
        new([LinkAddress.Parse("192.0.2.1/24"), LinkAddress.Parse("2001:db8:c::1/64")]) { GatewayV4 = IpAddr.Parse("192.0.2.254") },
        new([LinkAddress.Parse("10.0.0.1/16"), LinkAddress.Parse("2001:db8:b::1/64")]),
    ];

    public readonly FakeTimeProvider Time = new();
    public readonly PacketPool Pool;
    public readonly MemoryPort Front, Back;
    public readonly MemoryPort? Kernel;
    public readonly TableSource Tables;
    public readonly WorkerTelemetry Traffic;
    public readonly ClientRegister Clients;
    public readonly BalancerWorker<BusyWait> Worker;

    public Rig(BalancerConfig config, FlowLimits? limits = null, bool kernel = false, bool learn = true, int frontMtu = int.MaxValue, int backMtu = int.MaxValue)
    {
        Traffic = new WorkerTelemetry(SketchSeed.Create());
        Clients = new ClientRegister(Time);
        Pool = new PacketPool(256);
        Front = new MemoryPort("front", FrontMac, Pool) { MtuBytes = frontMtu };
        Back = new MemoryPort("back", BackMac, Pool) { MtuBytes = backMtu };
        Kernel = kernel ? new MemoryPort("tap", FrontMac, Pool) : null;
        Tables = new TableSource(config, new TableTelemetry(Clients, slot => (Worker?.Counters.BackendPackets[slot] ?? 0, Worker?.Counters.BackendBytes[slot] ?? 0)));
        Worker = new BalancerWorker<BusyWait>([new WorkerPort(Front, Kernel), new WorkerPort(Back)], Tables, Pool,
            limits ?? new FlowLimits { Capacity = 4096 }, Time, new PipelineTelemetry(Traffic, Clients));
        if (learn)
        {
            LearnAll();
        }
    }

    public static IpAddr Backend4(int n) => IpAddr.V4(0x0A00_0100 + (uint)n);

    public static IpAddr Backend6(int n) => new(0x2001_0db8_000b_0000, 0x100 + (ulong)n);

    public static MacAddress MacOf(IpAddr backend) => new(0x0200_0B00_0000 | (backend.Low & 0xFFFFFF));

    public static ServiceConfig Service(BalanceMode mode, int backends, byte protocol = IpProtocol.Tcp, bool v6 = false, ushort port = 80, ushort? backendPort = null) =>
        new("web", v6 ? Vip6 : Vip4, port, protocol, mode,
            [.. Enumerable.Range(1, backends).Select(n => new BackendConfig(v6 ? Backend6(n) : Backend4(n), backendPort ?? (mode == BalanceMode.Nat ? (ushort)8080 : port)))]);

    public static BalancerConfig Config(params ServiceConfig[] services) => new() { Interfaces = Interfaces, Services = services, TableSize = 1009 };

    /// <summary>Every neighbour says its address; questions and answers are taken off the ports.</summary>
    public void LearnAll()
    {
        foreach (var neighbor in Tables.Current.KnownNeighbors)
        {
            neighbor.Learn(MacOf(neighbor.Address), 0);
        }
        Worker.RunOnce();
        while (Front.Take() is not null || Back.Take() is not null)
        {
        }
    }

    /// <summary>Clients send a frame; what comes out on the backends' side.</summary>
    public byte[]? ToBack(byte[] frame) => Through(Front, frame, Back);

    /// <summary>Backends send a frame; what comes out on the clients' side.</summary>
    public byte[]? ToFront(byte[] frame) => Through(Back, frame, Front);

    public byte[]? Through(MemoryPort from, byte[] frame, MemoryPort to)
    {
        Assert.True(from.Inject(frame));
        Worker.RunOnce();
        Assert.Equal(256, Pool.Available);
        return to.Take();
    }

    /// <summary>A client's TCP segment to the service; the backend it came to, or null.</summary>
    public IpAddr? Send(ushort clientPort, TcpFlags flags = TcpFlags.Ack, IpAddr? client = null)
    {
        byte[]? frame = ToBack(Frames.Frame(Frames.Tcp(client ?? Client4, clientPort, Vip4, 80, flags)));
        return frame is null ? null : Headers(frame).Destination;
    }

    public static PacketHeaders Headers(byte[] frame)
    {
        Assert.Equal(PacketFault.None, PacketParser.Parse(frame, out PacketHeaders h));
        return h;
    }

    public void Dispose()
    {
        Worker.Dispose();
        Front.Dispose();
        Back.Dispose();
        Kernel?.Dispose();
        Pool.Dispose();
        Traffic.Dispose();
    }
}
