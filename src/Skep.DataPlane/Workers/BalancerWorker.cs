using Skep.DataPlane.Balancing.Configuration;
using Skep.DataPlane.Balancing.Flows;
using Skep.DataPlane.Balancing.Neighbors;
using Skep.DataPlane.Balancing.Pipeline;
using Skep.DataPlane.Buffers;

namespace Skep.DataPlane.Workers;

/// <summary>
/// One worker: receives, decides and sends, all on the thread that runs it. Its ports, its pool and its flows are its own; only the
/// table is shared.
/// </summary>
/// <typeparam name="TWait">What it does when nothing comes.</typeparam>
public sealed class BalancerWorker<TWait> : IDisposable where TWait : struct, IWaitStrategy
{
    private const int Burst = 32;
    private const long ProbeEveryMs = 200;
    private const int ProbesAtOnce = 64;
    private const long SweepWholeTableMs = 10_000;
    private readonly WorkerPort[] _ports;
    private readonly Outbox[] _wires;
    private readonly Outbox?[] _kernels;
    private readonly int[] _descriptors;
    private readonly TableSource _tables;
    private readonly PacketPool _pool;
    private readonly TimeProvider _time;
    private readonly BalancerPipeline _pipeline;
    private readonly NeighborProber _prober;
    private readonly Packet[] _burst = new Packet[Burst];
    private readonly Verdict[] _verdicts = new Verdict[Burst];
    private readonly long _startTimestamp;
    private long _idleRounds;
    private long _probedMs = long.MinValue / 2;
    private long _sweptMs;

    /// <summary>Makes a worker; <see cref="Run"/> starts it.</summary>
    /// <param name="ports">Its ports, in the order of the configuration's interfaces, all over <paramref name="pool"/>.</param>
    /// <param name="tables">Where the table in force is.</param>
    /// <param name="pool">Its buffers.</param>
    /// <param name="limits">How many flows it remembers.</param>
    /// <param name="time">Its clock.</param>
    /// <exception cref="ArgumentException">There are not as many ports as interfaces, or more than 255.</exception>
    public BalancerWorker(IReadOnlyList<WorkerPort> ports, TableSource tables, PacketPool pool, FlowLimits limits, TimeProvider time)
    {
        int interfaces = tables.Current.Config.Interfaces.Count;
        if (ports.Count != interfaces || ports.Count is 0 or > byte.MaxValue)
        {
            throw new ArgumentException($"{ports.Count} ports for {interfaces} interfaces: expected the same number, 1 to 255", nameof(ports));
        }
        (_ports, _tables, _pool, _time) = ([.. ports], tables, pool, time);
        _wires = [.. ports.Select(p => new Outbox(p.Wire, Burst))];
        _kernels = [.. ports.Select(p => p.Kernel is null ? null : new Outbox(p.Kernel, Burst))];
        _descriptors = [.. ports.SelectMany(p => p.Kernel is null ? [p.Wire.WaitDescriptor] : (int[])[p.Wire.WaitDescriptor, p.Kernel.WaitDescriptor])];
        _pipeline = new BalancerPipeline([.. ports.Select(p => p.Wire.Mac)], limits);
        _prober = new NeighborProber([.. ports.Select(p => p.Wire.Mac)]);
        _startTimestamp = time.GetTimestamp();
    }

    /// <summary>What it has done.</summary>
    public BalancerCounters Counters => _pipeline.Counters;

    /// <summary>Flows that it remembers.</summary>
    public int Flows => _pipeline.Flows.Count;

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
            else
            {
                wait.Wait(++_idleRounds, _descriptors);
            }
        }
    }

    /// <summary>One round: a burst of each port.</summary>
    /// <returns>How many packets came.</returns>
    public int RunOnce()
    {
        long nowMs = (long)_time.GetElapsedTime(_startTimestamp).TotalMilliseconds;
        BalancerTable table = _tables.Current;
        int count = 0;
        for (int port = 0; port < _ports.Length; port++)
        {
            count += FromWire(table, port, nowMs) + FromKernel(port);
        }
        Probe(table, nowMs);
        Sweep(nowMs);
        Flush();
        return count;
    }

    private int FromWire(BalancerTable table, int port, long nowMs)
    {
        int count = _ports[port].Wire.Receive(_burst);
        if (count == 0)
        {
            return 0;
        }
        _pipeline.Process(table, _burst.AsSpan(0, count), port, nowMs, _verdicts);
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
                default:
                    _ports[port].Wire.Return(_burst.AsSpan(i, 1));
                    break;
            }
        }
        return count;
    }

    private int FromKernel(int port)
    {
        if (_ports[port].Kernel is not { } kernel)
        {
            return 0;
        }
        int count = kernel.Receive(_burst);
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
    }

    private void Lose(int packets) => _pipeline.Counters.Drops[(int)DropReason.PortFull] += packets;

    /// <summary>Frees the flows' memory. The ports and the pool are their maker's.</summary>
    public void Dispose() => _pipeline.Dispose();
}
