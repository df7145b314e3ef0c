using System.Diagnostics;
using Skep.DataPlane.Balancing.Configuration;
using Skep.DataPlane.Balancing.Flows;
using Skep.DataPlane.Buffers;
using Skep.DataPlane.Packets;
using Skep.DataPlane.Ports;
using Skep.DataPlane.Ports.Tap;
using Skep.DataPlane.Workers;

namespace Skep.Bench.DataPlane;

/// <summary>What a worker costs while nothing comes.</summary>
internal static class IdleCost
{
    /// <summary>Share of a core over some seconds, in percent.</summary>
    /// <param name="tap">A TAP device, whose descriptor wakes the worker (it takes root), or a ring in memory that must be looked at.</param>
    /// <param name="lasting">How long.</param>
    public static double Percent(bool tap, TimeSpan lasting)
    {
        using var pool = new PacketPool(64);
        MacAddress mac = MacAddress.Parse("02:00:00:00:00:01");
        using IPort port = tap ? new TapPort($"skb{Environment.ProcessId}", mac, pool) : new MemoryPort("memory", mac, pool);
        var tables = new TableSource(new BalancerConfig { Interfaces = [new([])], Services = [] });
        using var worker = new BalancerWorker<AdaptiveSleep>([new WorkerPort(port)], tables, pool, new FlowLimits(), TimeProvider.System);
        using var stop = new CancellationTokenSource(lasting);
        double cpu = 0;
        long start = Stopwatch.GetTimestamp();
        var thread = new Thread(() =>
        {
            double before = ThreadClock.NowUs;
            worker.Run(stop.Token);
            cpu = ThreadClock.NowUs - before;
        });
        thread.Start();
        thread.Join();
        return 100 * cpu / Stopwatch.GetElapsedTime(start).TotalMicroseconds;
    }
}
