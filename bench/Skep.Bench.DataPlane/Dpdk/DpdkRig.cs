using System.Diagnostics;
using Skep.DataPlane.Buffers;
using Skep.DataPlane.Ports.Dpdk;

namespace Skep.Bench.DataPlane.Dpdk;

/// <summary>What is measured.</summary>
/// <param name="Mode">As testpmd calls it.</param>
/// <param name="Ring">Frames that go round in a ring, or that a <c>net_null</c> makes up and throws away.</param>
/// <param name="Burst">Frames at a time.</param>
internal sealed record DpdkCase(string Mode, bool Ring, int Burst)
{
    public string Name => $"{Mode} on {(Ring ? "net_ring" : "net_null")}, burst {Burst}";
}

/// <summary>One port forwarding to itself, on a thread of its own on one core.</summary>
internal sealed class DpdkRig<TForwarding>(DpdkPort port, MbufPool pool, int burst) where TForwarding : struct, IForwarding
{
    private const int RoundsBetweenLooks = 256;
    private readonly Packet[] _burst = new Packet[burst];

    /// <summary>Forwards for a while, on the calling thread.</summary>
    /// <returns>Millions of packets sent a second, and what was allocated meanwhile.</returns>
    public (double Mpps, long AllocatedBytes) Run(TimeSpan warmUp, TimeSpan lasting)
    {
        Forward(warmUp);
        long allocated = GC.GetAllocatedBytesForCurrentThread();
        long start = Stopwatch.GetTimestamp();
        long sent = Forward(lasting);
        return (sent / Stopwatch.GetElapsedTime(start).TotalMicroseconds, GC.GetAllocatedBytesForCurrentThread() - allocated);
    }

    /// <summary>Puts a burst of frames into a ring, where they go round from now on.</summary>
    public void Fill(ReadOnlySpan<byte> frame)
    {
        for (int i = 0; i < burst; i++)
        {
            if (!pool.TryCopy(frame, out _burst[i]))
            {
                throw new InvalidOperationException("the pool is empty");
            }
        }
        port.Send(_burst);
    }

    private long Forward(TimeSpan lasting)
    {
        long start = Stopwatch.GetTimestamp(), sent = 0;
        do
        {
            for (int i = 0; i < RoundsBetweenLooks; i++)
            {
                sent += Round();
            }
        }
        while (Stopwatch.GetElapsedTime(start) < lasting);
        return sent;
    }

    private int Round()
    {
        int count = port.Receive(_burst);
        Span<Packet> packets = _burst.AsSpan(0, count);
        default(TForwarding).Process(packets);
        int sent = port.Send(packets);
        if (sent < count)
        {
            port.Return(packets[sent..]);
        }
        return sent;
    }
}
