using Skep.DataPlane.Balancing.Configuration;
using Skep.DataPlane.Balancing.Flows;
using Skep.DataPlane.Balancing.Neighbors;
using Skep.DataPlane.Balancing.Pipeline;
using Skep.DataPlane.Buffers;
using Skep.DataPlane.Capture;
using Skep.DataPlane.Native;
using Skep.DataPlane.Telemetry;

namespace Skep.DataPlane.Workers;

/// <summary>
/// One worker: receives, decides and sends, all on the thread that runs it. Its ports, its pool and its flows are its own; only the
/// table is shared. Where there are several, each hands what belongs to another's flow to that one.
/// </summary>
/// <typeparam name="TWait">What it does when nothing comes.</typeparam>
public sealed class BalancerWorker<TWait> : IBalancerWorker where TWait : struct, IWaitStrategy
{
    private const int Burst = 32;
    private const long ProbeEveryMs = 200;
    private const int ProbesAtOnce = 64;
    private const long SweepWholeTableMs = 10_000;
    private const int SleepMs = 100;
    private const int SleepWithoutDescriptorsMs = 2;
    private readonly WorkerPort[] _ports;
    private readonly Outbox[] _wires;
    private readonly Outbox?[] _kernels;
    private readonly TableSource _tables;
    private readonly PacketPool _pool;
    private readonly TimeProvider _time;
    private readonly BalancerPipeline _pipeline;
    private readonly NeighborProber _prober;
    private readonly Packet[] _burst = new Packet[Burst];
    private readonly Verdict[] _verdicts = new Verdict[Burst];
    private int[] _descriptors;
    private WorkerPeers? _peers;
    private long _startTimestamp;
    private long _idleRounds;
    private long _probedMs = long.MinValue / 2;
    private long _sweptMs;
    private readonly WorkerTelemetry? _traffic;
    private CaptureTap? _capture;
    private long _rounds;

    /// <summary>Makes a worker; <see cref="Run"/> starts it.</summary>
    /// <param name="ports">Its ports, in the order of the configuration's interfaces, all over <paramref name="pool"/>.</param>
    /// <param name="tables">Where the table in force is.</param>
    /// <param name="pool">Its buffers.</param>
    /// <param name="limits">How many flows it remembers.</param>
    /// <param name="time">Its clock.</param>
    /// <exception cref="ArgumentException">There are not as many ports as interfaces, or more than 255, or one has another pool.</exception>
    public BalancerWorker(IReadOnlyList<WorkerPort> ports, TableSource tables, PacketPool pool, FlowLimits limits, TimeProvider time)
        : this(ports, tables, pool, limits, time, telemetry: null)
    {
    }

    internal BalancerWorker(IReadOnlyList<WorkerPort> ports, TableSource tables, PacketPool pool, FlowLimits limits, TimeProvider time, PipelineTelemetry? telemetry)
    {
        int interfaces = tables.Current.Config.Interfaces.Count;
        if (ports.Count != interfaces || ports.Count is 0 or > byte.MaxValue)
        {
            throw new ArgumentException($"{ports.Count} ports for {interfaces} interfaces: expected the same number, 1 to 255", nameof(ports));
        }
        if (ports.Any(p => p.Wire.Pool != pool || (p.Kernel?.Pool ?? pool) != pool))
        {
            throw new ArgumentException("a port has another pool than the worker: packets go from one port to another in their buffers", nameof(ports));
        }
        (_ports, _tables, _pool, _time) = ([.. ports], tables, pool, time);
        _wires = [.. ports.Select(p => new Outbox(p.Wire, Burst))];
        _kernels = [.. ports.Select(p => p.Kernel is null ? null : new Outbox(p.Kernel, Burst))];
        _descriptors = [.. ports.SelectMany(p => p.Kernel is null ? [p.Wire.WaitDescriptor] : (int[])[p.Wire.WaitDescriptor, p.Kernel.WaitDescriptor])];
        _pipeline = new BalancerPipeline([.. ports.Select(p => p.Wire.Mac)], [.. ports.Select(p => p.Wire.MtuBytes)], limits, telemetry);
        _traffic = telemetry?.Traffic;
        _prober = new NeighborProber([.. ports.Select(p => p.Wire.Mac)]);
        _startTimestamp = time.GetTimestamp();
    }

    /// <summary>What it has done.</summary>
    public BalancerCounters Counters => _pipeline.Counters;

    /// <summary>Flows that it remembers.</summary>
    public int Flows => _pipeline.Flows.Count;

    FlowTable IBalancerWorker.FlowTable => _pipeline.Flows;

    long IBalancerWorker.Rounds => Volatile.Read(ref _rounds);

    void IBalancerWorker.Join(WorkerPeers peers)
    {
        (_peers, _startTimestamp, _descriptors) = (peers, peers.StartTimestamp, [.. _descriptors, peers.WaitDescriptor]);
        _pipeline.Peers.Tables = peers.Flows;
    }

    void IBalancerWorker.CaptureBy(CaptureTap? tap) => Interlocked.Exchange(ref _capture, tap);

    /// <summary>Works until it is told to stop. Call it on a thread of its own.</summary>
    public void Run(CancellationToken stop)
    {
        TWait wait = default;
        while (!stop.IsCancellationRequested)
        {
            if (RunOnce() > 0)
            {
                _idleRounds = 0;
            }
            else if (wait.Wait(++_idleRounds))
            {
                Sleep();
            }
        }
    }

    private void Sleep()
    {
        int timeoutMs = _descriptors.Contains(-1) ? SleepWithoutDescriptorsMs : SleepMs;
        if (_peers is { } peers)
        {
            peers.Sleep(_descriptors, timeoutMs);
        }
        else
        {
            Poller.Wait(_descriptors, timeoutMs);
        }
    }

    /// <summary>One round: a burst of each port, and of each other worker.</summary>
    /// <returns>How many packets came.</returns>
    public int RunOnce()
    {
        long nowMs = (long)_time.GetElapsedTime(_startTimestamp).TotalMilliseconds;
        BalancerTable table = _tables.Current;
        int count = 0;
        bool wasFull = false;
        for (int port = 0; port < _ports.Length; port++)
        {
            int came = FromWire(table, port, nowMs);
            wasFull |= came == Burst;
            count += came + FromKernel(port);
        }
        if (_peers is { } peers)
        {
            int came = FromPeers(peers, table, nowMs);
            wasFull |= came >= Burst;
            count += came;
        }
        _pipeline.EndRound(wasFull);
        if (_peers is not { Number: > 0 })
        {
            Probe(table, nowMs);
        }
        Sweep(nowMs);
        Flush();
        _traffic?.Pass();
        Volatile.Write(ref _rounds, _rounds + 1);
        return count;
    }

    private int FromWire(BalancerTable table, int port, long nowMs)
    {
        int count = _ports[port].Wire.Receive(_burst);
        if (count == 0)
        {
            return 0;
        }
        CaptureTap? capture = Volatile.Read(ref _capture);
        if (capture is not null)
        {
            Show(capture, count, port, outgoing: false);
        }
        Balance(table, count, port, nowMs, capture);
        return count;
    }

    // A capture has seen them where they came in.
    private int FromPeers(WorkerPeers peers, BalancerTable table, long nowMs)
    {
        int all = 0;
        _pipeline.Peers.IsFinal = true;
        for (int peer = 0; peer < peers.Count; peer++)
        {
            int count = peers.TakeOver(peer, _pool, _burst, out int port);
            if (count > 0)
            {
                Balance(table, count, port, nowMs, Volatile.Read(ref _capture));
                all += count;
            }
        }
        _pipeline.Peers.IsFinal = false;
        Counters.TakenOver += all;
        return all;
    }

    private void Balance(BalancerTable table, int count, int port, long nowMs, CaptureTap? capture)
    {
        _pipeline.Process(table, _burst.AsSpan(0, count), port, nowMs, _verdicts);
        if (capture is not null)
        {
            Show(capture, count, port, outgoing: true);
        }
        for (int i = 0; i < count; i++)
        {
            switch (_verdicts[i].Kind)
            {
                case VerdictKind.Send:
                    Lose(_wires[_verdicts[i].Port].Add(_burst[i]));
                    break;
                case VerdictKind.Kernel when _kernels[port] is { } kernel:
                    Lose(kernel.Add(_burst[i]));
                    break;
                case VerdictKind.Kernel:
                    _pipeline.Drop(DropReason.NoKernel);
                    _ports[port].Wire.Return(_burst.AsSpan(i, 1));
                    break;
                case VerdictKind.HandOver when _peers!.TryHandOver(_verdicts[i].Port, _burst[i].Bytes, port):
                    Counters.HandedOver++;
                    _ports[port].Wire.Return(_burst.AsSpan(i, 1));
                    break;
                case VerdictKind.HandOver:
                    _pipeline.Drop(DropReason.PeerFull);
                    _ports[port].Wire.Return(_burst.AsSpan(i, 1));
                    break;
                default:
                    _ports[port].Wire.Return(_burst.AsSpan(i, 1));
                    break;
            }
        }
    }

    private void Show(CaptureTap capture, int count, int port, bool outgoing)
    {
        for (int i = 0; i < count; i++)
        {
            if (!outgoing || _verdicts[i].Kind == VerdictKind.Send)
            {
                capture.See(_burst[i].Bytes, outgoing ? _verdicts[i].Port : port, outgoing);
            }
        }
    }

    private int FromKernel(int port)
    {
        if (_ports[port].Kernel is not { } kernel)
        {
            return 0;
        }
        int count = kernel.Receive(_burst);
        if (count > 0 && Volatile.Read(ref _capture) is { } capture)
        {
            for (int i = 0; i < count; i++)
            {
                capture.See(_burst[i].Bytes, port, outgoing: true);
            }
        }
        for (int i = 0; i < count; i++)
        {
            Lose(_wires[port].Add(_burst[i]));
        }
        return count;
    }

    private void Probe(BalancerTable table, long nowMs)
    {
        if (nowMs - _probedMs < ProbeEveryMs)
        {
            return;
        }
        _probedMs = nowMs;
        int left = table.NeighborList.Length;
        for (int asked = 0; asked < ProbesAtOnce && _prober.TryNext(ref left, table, _pool, nowMs, out Packet packet, out int port); asked++, left--)
        {
            Volatile.Read(ref _capture)?.See(packet.Bytes, port, outgoing: true);
            Lose(_wires[port].Add(packet));
        }
    }

    private void Sweep(long nowMs)
    {
        long elapsed = nowMs - _sweptMs;
        long buckets = _pipeline.Flows.Buckets * Math.Min(elapsed, SweepWholeTableMs) / SweepWholeTableMs;
        if (buckets > 0)
        {
            _sweptMs = nowMs;
            _pipeline.Flows.Sweep((int)Math.Min(buckets, MaxSweep), (uint)nowMs);
        }
    }

    // After a sleep there is much to sweep; a slice at a time, so that no packet waits for it.
    private const int MaxSweep = 256;

    private void Flush()
    {
        for (int port = 0; port < _wires.Length; port++)
        {
            Lose(_wires[port].Flush());
            if (_kernels[port] is { } kernel)
            {
                Lose(kernel.Flush());
            }
        }
        _peers?.Ring();
    }

    private void Lose(int packets) => _pipeline.Counters.Drops[(int)DropReason.PortFull] += packets;

    /// <summary>Frees the flows' memory. The ports and the pool are their maker's.</summary>
    public void Dispose()
    {
        _pipeline.Dispose();
        _peers?.Dispose();
    }
}
