using System.Buffers.Binary;
using System.Diagnostics;
using Skep.DataPlane.Balancing.Configuration;
using Skep.DataPlane.Balancing.Flows;
using Skep.DataPlane.Balancing.Neighbors;
using Skep.DataPlane.Buffers;
using Skep.DataPlane.Packets;
using Skep.DataPlane.Telemetry;
using Skep.DataPlane.Workers;
using Skep.Sketches;

namespace Skep.Bench.DataPlane;

/// <summary>What is measured.</summary>
/// <param name="Name">In the table.</param>
/// <param name="Flows">Connections that take turns, at random.</param>
/// <param name="Mode">How packets reach backends; null to move frames through the ports only.</param>
/// <param name="Burst">Frames at a time.</param>
/// <param name="BarMpps">What is to be reached.</param>
/// <param name="Sketches">Whether the worker counts who sends most, as in a data plane that runs.</param>
internal sealed record Case(string Name, int Flows, BalanceMode? Mode, int Burst, double? BarMpps, bool Sketches = false);

/// <summary>A generator, a worker and a sink on one thread.</summary>
internal sealed class BenchRig : IDisposable
{
    private const int Backends = 16;
    private const int FrameBytes = 60; // 64 with the check sequence that no port hands over.
    public static readonly MacAddress Us = MacAddress.Parse("02:00:00:00:00:01");
    private static readonly IpAddr Vip = IpAddr.Parse("198.51.100.1");
    private readonly Case _case;
    private readonly BenchWire _wire;
    private readonly BalancerWorker<BusyWait> _worker;
    private readonly WorkerTelemetry _traffic = new(SketchSeed.Create());
    private readonly Packet[] _burst;
    private readonly byte[][] _frames;
    private readonly ulong _step;
    private ulong _random = 88172645463325252;

    /// <summary>Makes it.</summary>
    /// <param name="what">What is measured.</param>
    /// <param name="wire">The ports; disposed with the rig.</param>
    public BenchRig(Case what, BenchWire wire)
    {
        (_case, _wire) = (what, wire);
        _burst = new Packet[what.Burst];
        BalanceMode mode = what.Mode ?? BalanceMode.Nat;
        var clients = new ClientRegister(TimeProvider.System);
        TableTelemetry? counted = what.Sketches ? new(clients, static _ => (0, 0)) : null;
        var tables = new TableSource(new BalancerConfig
        {
            Interfaces = [new([LinkAddress.Parse("192.0.2.1/24")]), new([LinkAddress.Parse("10.0.0.1/16")])],
            Services =
            [
                new("bench", Vip, 80, IpProtocol.Tcp, mode,
                    [.. Enumerable.Range(1, Backends).Select(n => new BackendConfig(IpAddr.V4(0x0A000100 + (uint)n), mode == BalanceMode.Nat ? (ushort)8080 : (ushort)80))]),
            ],
        }, counted);
        foreach (Neighbor neighbor in tables.Current.KnownNeighbors)
        {
            neighbor.Learn(new MacAddress(0x0200_0000_0000UL | neighbor.Address.V4Bits), 0);
        }
        _worker = new BalancerWorker<BusyWait>([new WorkerPort(wire.Front), new WorkerPort(wire.Back)], tables, wire.Pool,
            new FlowLimits { Capacity = what.Flows * 2, MaxEmbryonic = what.Flows * 2 }, TimeProvider.System, what.Sketches ? new PipelineTelemetry(_traffic, clients) : null);
        _step = (ulong)what.Flows;
        _frames = [.. Enumerable.Range(0, what.Burst).Select(_ => MakeFrame(wire.Front.Mac))];
    }

    public int Flows => _worker.Flows;

    /// <summary>What running has allocated on the heap.</summary>
    public long AllocatedBytes { get; set; }

    /// <summary>Opens every flow, so that the table holds them all.</summary>
    public void Open()
    {
        for (int flow = 0; flow < _case.Flows && _case.Mode is not null; flow++)
        {
            // The second packet makes it an established one.
            for (int i = 0; i < 2; i++)
            {
                Address(_frames[0], (uint)flow);
                _wire.Put(_frames.AsSpan(0, 1));
                Work();
                _wire.Take();
            }
        }
    }

    /// <summary>Moves one burst.</summary>
    /// <returns>How many packets came out.</returns>
    public int RunBurst()
    {
        for (int i = 0; i < _case.Burst; i++)
        {
            // xorshift: which flow is next must cost next to nothing, and not be guessable by a prefetcher.
            _random ^= _random << 13;
            _random ^= _random >> 7;
            _random ^= _random << 17;
            Address(_frames[i], (uint)Math.BigMul(_random, _step, out _));
        }
        _wire.Put(_frames);
        Work();
        int taken = _wire.Take();
        return taken > 0 ? taken : throw new InvalidOperationException("none of a burst came out: packets were lost");
    }

    /// <summary>Moves packets.</summary>
    /// <returns>Millions a second by the clock on the wall, and by the thread's.</returns>
    public (double Wall, double Cpu) Run(long packets)
    {
        long allocated = GC.GetAllocatedBytesForCurrentThread();
        double cpu = ThreadClock.NowUs;
        long start = Stopwatch.GetTimestamp(), done = 0;
        while (done < packets)
        {
            done += RunBurst();
        }
        (double, double) result = (packets / Stopwatch.GetElapsedTime(start).TotalMicroseconds, packets / (ThreadClock.NowUs - cpu));
        AllocatedBytes += GC.GetAllocatedBytesForCurrentThread() - allocated;
        return result;
    }

    private void Work()
    {
        if (_case.Mode is not null)
        {
            _worker.RunOnce();
            return;
        }
        int count = _wire.Front.Receive(_burst);
        _wire.Back.Send(_burst.AsSpan(0, count));
    }

    // The IPv4 checksum must be right; TCP's is changed by difference and nobody here looks at it.
    private static void Address(byte[] frame, uint flow)
    {
        Span<byte> ip = frame.AsSpan(14);
        uint source = 0xC0000264 + (flow >> 14 << 8);
        uint before = BinaryPrimitives.ReadUInt32BigEndian(ip[12..]);
        var delta = new ChecksumDelta();
        delta.Replace32(before, source);
        BinaryPrimitives.WriteUInt32BigEndian(ip[12..], source);
        BinaryPrimitives.WriteUInt16BigEndian(ip[10..], delta.Apply(BinaryPrimitives.ReadUInt16BigEndian(ip[10..])));
        BinaryPrimitives.WriteUInt16BigEndian(ip[20..], (ushort)(1024 + (flow & 0x3FFF)));
    }

    public void Dispose()
    {
        _worker.Dispose();
        _wire.Dispose();
        _traffic.Dispose();
    }

    private static byte[] MakeFrame(MacAddress to)
    {
        byte[] frame = new byte[FrameBytes];
        to.Write(frame);
        MacAddress.Parse("02:00:00:00:00:c1").Write(frame.AsSpan(6));
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(12), EtherType.IPv4);
        Span<byte> ip = frame.AsSpan(14);
        ip[0] = 0x45;
        BinaryPrimitives.WriteUInt16BigEndian(ip[2..], FrameBytes - 14);
        ip[8] = 64;
        ip[9] = IpProtocol.Tcp;
        Vip.Write(ip[16..]);
        BinaryPrimitives.WriteUInt16BigEndian(ip[10..], Checksum.Of(ip[..20]));
        BinaryPrimitives.WriteUInt16BigEndian(ip[22..], 80);
        ip[32] = 0x50;
        ip[33] = (byte)TcpFlags.Ack;
        return frame;
    }
}
