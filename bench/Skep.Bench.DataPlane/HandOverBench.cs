using System.Buffers.Binary;
using System.Diagnostics;
using Skep.DataPlane.Balancing.Configuration;
using Skep.DataPlane.Balancing.Flows;
using Skep.DataPlane.Balancing.Neighbors;
using Skep.DataPlane.Balancing.Pipeline;
using Skep.DataPlane.Buffers;
using Skep.DataPlane.Native;
using Skep.DataPlane.Packets;
using Skep.DataPlane.Ports;
using Skep.DataPlane.Workers;

namespace Skep.Bench.DataPlane;

/// <summary>
/// What an answer costs that comes to a worker that does not know its flow, beside one that comes to the right one: both workers in turns
/// on one core, then each on a core of its own.
/// </summary>
internal static class HandOverBench
{
    private const int Flows = 1_000, Burst = 32, Rounds = 7, Backends = 16;
    private const long Packets = 3_000_000;
    private static readonly IpAddr Vip = IpAddr.Parse("198.51.100.1");

    private sealed record Side(PacketPool Pool, MemoryPort Front, MemoryPort Back, BalancerWorker<BusyWait> Worker) : IDisposable
    {
        public void Dispose()
        {
            Worker.Dispose();
            Front.Dispose();
            Back.Dispose();
            Pool.Dispose();
        }
    }

    public static void Run()
    {
        Side[] sides = Make();
        byte[][] answers = Open(sides[0]);
        var direct = new List<double>();
        var handed = new List<double>();
        var between = new List<double>();
        for (int round = 0; round < Rounds; round++)
        {
            direct.Add(OnOneCore(sides, to: 0, answers));
            handed.Add(OnOneCore(sides, to: 1, answers));
            between.Add(OnTwoCores(sides, answers));
        }
        BalancerCounters asked = sides[1].Worker.Counters;
        Console.WriteLine($"an answer by the worker that knows its flow {Median(direct):F0} ns; handed over {Median(handed):F0} ns for both on one core, a core's time for 64-byte frames");
        Console.WriteLine($"handed from core to core {1000 / Median(between):F2} Mpps; {asked.HandedOver:N0} handed over, {asked.Dropped(DropReason.PeerFull)} lost; load {File.ReadAllText("/proc/loadavg").Split(' ')[0]}");
        Array.ForEach(sides, static s => s.Dispose());
    }

    private static double OnOneCore(Side[] sides, int to, byte[][] answers)
    {
        double start = ThreadClock.NowUs;
        int next = 0;
        for (long done = 0; done < Packets; done += Burst)
        {
            Put(sides[to].Back, answers, ref next);
            for (int worker = to; worker >= 0; worker--)
            {
                sides[worker].Worker.RunOnce();
            }
            Take(sides[0].Front, Burst);
        }
        return (ThreadClock.NowUs - start) * 1000 / Packets;
    }

    private static double OnTwoCores(Side[] sides, byte[][] answers)
    {
        long taken = 0;
        long start = Stopwatch.GetTimestamp();
        var knows = new Thread(() =>
        {
            Affinity.PinTo(0);
            while (Volatile.Read(ref taken) < Packets)
            {
                sides[0].Worker.RunOnce();
                Volatile.Write(ref taken, taken + Take(sides[0].Front, 0));
            }
        });
        var asks = new Thread(() =>
        {
            Affinity.PinTo(1);
            int next = 0;
            for (long sent = 0; sent < Packets;)
            {
                // As many under way as the ring between them holds with certainty.
                if (sent - Volatile.Read(ref taken) <= 192)
                {
                    Put(sides[1].Back, answers, ref next);
                    sent += Burst;
                }
                sides[1].Worker.RunOnce();
            }
        });
        Array.ForEach((Thread[])[knows, asks], static t => t.Start());
        Array.ForEach((Thread[])[knows, asks], static t => t.Join());
        return Stopwatch.GetElapsedTime(start).TotalNanoseconds / Packets;
    }

    private static void Put(MemoryPort port, byte[][] frames, ref int next)
    {
        for (int i = 0; i < Burst; i++)
        {
            next = (next + 7) % frames.Length;
            if (!port.Inject(frames[next]))
            {
                throw new InvalidOperationException("the ring is full: packets were lost");
            }
        }
    }

    private static int Take(MemoryPort port, int atLeast)
    {
        int count = 0;
        for (; port.TryPeek(out _); port.Advance())
        {
            count++;
        }
        return count >= atLeast ? count : throw new InvalidOperationException($"{count} answers of {atLeast} came out");
    }

    private static Side[] Make()
    {
        var tables = new TableSource(new BalancerConfig
        {
            Interfaces = [new([LinkAddress.Parse("192.0.2.1/24")]), new([LinkAddress.Parse("10.0.0.1/16")])],
            Services = [new("bench", Vip, 80, IpProtocol.Tcp, BalanceMode.Nat, [.. Enumerable.Range(1, Backends).Select(static n => new BackendConfig(IpAddr.V4(0x0A000100 + (uint)n), 8080))])],
        });
        foreach (Neighbor neighbor in tables.Current.KnownNeighbors)
        {
            neighbor.Learn(new MacAddress(0x0200_0000_0000UL | neighbor.Address.V4Bits), 0);
        }
        Side[] sides = [.. Enumerable.Range(0, 2).Select(_ =>
        {
            var pool = new PacketPool(512);
            MemoryPort front = new("front", BenchRig.Us, pool, 512), back = new("back", BenchRig.Us, pool, 512);
            return new Side(pool, front, back, new BalancerWorker<BusyWait>([new WorkerPort(front), new WorkerPort(back)], tables, pool,
                new FlowLimits { Capacity = 4 * Flows, MaxEmbryonic = 4 * Flows }, TimeProvider.System));
        })];
        WorkerPeers.Connect([.. sides.Select(static s => s.Worker)], sides[0].Pool.BufferBytes, TimeProvider.System);
        return sides;
    }

    // Every flow, opened at a worker, and an answer to each.
    private static byte[][] Open(Side side)
    {
        byte[][] answers = new byte[Flows][];
        for (int flow = 0; flow < Flows; flow++)
        {
            IpAddr client = IpAddr.V4(0xC0000264);
            ushort port = (ushort)(1024 + flow);
            byte[] came = [];
            foreach (TcpFlags flags in (TcpFlags[])[TcpFlags.Syn, TcpFlags.Ack])
            {
                side.Front.Inject(Frame(client, port, Vip, 80, flags));
                side.Worker.RunOnce();
                // The worker asks for its neighbours, too.
                for (byte[]? frame; (frame = side.Back.Take()) is not null;)
                {
                    came = frame[13] == 0 ? frame : came;
                }
            }
            answers[flow] = Frame(IpAddr.ReadV4(came.AsSpan(30)), 8080, client, port, TcpFlags.Ack);
        }
        while (side.Front.Take() is not null)
        {
        }
        return answers;
    }

    private static byte[] Frame(IpAddr source, ushort sourcePort, IpAddr destination, ushort destinationPort, TcpFlags flags)
    {
        byte[] frame = new byte[60];
        BenchRig.Us.Write(frame);
        MacAddress.Parse("02:00:00:00:00:c1").Write(frame.AsSpan(6));
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(12), EtherType.IPv4);
        Span<byte> ip = frame.AsSpan(14);
        (ip[0], ip[3], ip[8], ip[9], ip[32], ip[33]) = (0x45, 46, 64, IpProtocol.Tcp, 0x50, (byte)flags);
        source.Write(ip[12..]);
        destination.Write(ip[16..]);
        BinaryPrimitives.WriteUInt16BigEndian(ip[10..], Checksum.Of(ip[..20]));
        BinaryPrimitives.WriteUInt16BigEndian(ip[20..], sourcePort);
        BinaryPrimitives.WriteUInt16BigEndian(ip[22..], destinationPort);
        return frame;
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}
