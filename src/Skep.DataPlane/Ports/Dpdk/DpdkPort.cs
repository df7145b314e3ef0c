using Skep.DataPlane.Buffers;
using Skep.DataPlane.Packets;
using Skep.DataPlane.Ports.Dpdk.Native;

namespace Skep.DataPlane.Ports.Dpdk;

/// <summary>
/// A port over one queue of a DPDK device. Frames stay in their mbufs from one device to the next. It has no descriptor to wait for: a
/// worker looks again and again. Checksums that a local sender left to the hardware (veth under <c>net_af_packet</c>) are not
/// completed here; an <see cref="AfPacket.AfPacketPort"/> does that.
/// </summary>
public sealed unsafe class DpdkPort : IPort
{
    private const int MaxBurst = 256;
    private const int DrainBursts = 256;

    // Their bursts make no system call, take no lock and end within microseconds.
    private static readonly string[] ShortBursts = ["net_null", "net_ring"];

    // It makes its frames itself, in mbufs fresh from the pool. Any other may hand over chains, or frames without their tag, asked or not.
    private const string MakesPlainFrames = "net_null";
    private readonly MbufPool _pool;
    private readonly int _queue;
    private readonly bool _isShort;
    private readonly bool _isPlain;
    private readonly bool _ownsDevice;
    private readonly EthOps* _ops;
    private bool _entered;
    private bool _disposed;

    /// <summary>Opens a device with one queue each way; it closes with the port.</summary>
    /// <param name="device">As for <see cref="DpdkDevice"/>, whose exceptions this throws too.</param>
    /// <param name="pool">Where received frames get their buffers; all that is sent must come from a pool of mbufs.</param>
    /// <param name="descriptors">Frames that wait at most, each way.</param>
    public DpdkPort(string device, MbufPool pool, int descriptors = 1024)
        : this(new DpdkDevice(device, [pool], descriptors))
    {
        _ownsDevice = true;
    }

    /// <summary>Makes the port of one of an open device's queues. Dispose it before the device.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The device has no such queue.</exception>
    public DpdkPort(DpdkDevice device, int queue = 0)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)queue, (uint)device.Pools.Count, nameof(queue));
        (Device, _queue, _pool) = (device, queue, device.Pools[queue]);
        _ops = Eth.Ops(device.Port);
        _isShort = ShortBursts.Contains(device.Driver);
        _isPlain = device.Driver == MakesPlainFrames;
        Name = device.Pools.Count == 1 ? device.Name : $"{device.Name}/{queue}";
    }

    /// <summary>The device, its link and its statistics.</summary>
    public DpdkDevice Device { get; }

    /// <inheritdoc />
    public string Name { get; }

    /// <inheritdoc />
    public MacAddress Mac => Device.Mac;

    /// <inheritdoc />
    public int MtuBytes => Device.MtuBytes;

    /// <inheritdoc />
    public int WaitDescriptor => -1;

    /// <inheritdoc />
    public PacketPool Pool => _pool;

    /// <inheritdoc />
    public PortCounters Counters { get; } = new();

    /// <inheritdoc />
    /// <remarks>The device counts over all its queues, so its first queue tells.</remarks>
    public long ReadMissed() => _queue == 0 && Device.IsOpen ? Device.Statistics.Missed + Device.Statistics.NoBuffers : 0;

    /// <inheritdoc />
    public int Receive(Span<Packet> burst)
    {
        RequireOpen();
        // A packet is a pointer to its mbuf: what the driver fills is the burst itself.
        fixed (Packet* packets = burst)
        {
            int asked = Math.Min(burst.Length, MaxBurst);
            int got = _isShort ? EthOps.ReceiveShort(_ops, _queue, packets, asked) : EthOps.Receive(_ops, _queue, packets, asked);
            int count = _isPlain ? got : Mbuf.CountUsual(packets, got);
            if (count < got)
            {
                count = Sort(packets, count, got);
            }
            Counters.Received += count;
            return count;
        }
    }

    /// <inheritdoc />
    public int Send(ReadOnlySpan<Packet> burst)
    {
        RequireOpen();
        if (burst.IsEmpty)
        {
            return 0;
        }
        MbufPool.RequireMbuf(burst[0]);
        fixed (Packet* packets = burst)
        {
            int count = Math.Min(burst.Length, MaxBurst);
            int sent = _isShort ? EthOps.SendShort(_ops, _queue, packets, count) : EthOps.Send(_ops, _queue, packets, count);
            Counters.Sent += sent;
            return sent;
        }
    }

    /// <inheritdoc />
    public void Return(ReadOnlySpan<Packet> burst) => _pool.Return(burst);

    // The rest of a burst in which not all are usual: frames that do not lie in one buffer, or leave no room for an answer, are lost.
    private int Sort(Packet* packets, int count, int got)
    {
        for (int i = count; i < got; i++)
        {
            BufferHeader* mbuf = packets[i].Header;
            if ((mbuf->Flags & Mbuf.TagTakenOff) != 0)
            {
                // Without its tag it would be taken for a frame of another network.
                Counters.OffloadRefused++;
                Pools.FreeBulk(&mbuf, 1);
            }
            else if (Mbuf.IsWhole(mbuf))
            {
                packets[count++] = packets[i];
            }
            else
            {
                Counters.TooLong++;
                Pools.FreeBulk(&mbuf, 1);
            }
        }
        return count;
    }

    private void RequireOpen()
    {
        if (!_entered || !Device.IsOpen)
        {
            Enter();
        }
    }

    // DPDK must know the thread, or its drivers would go to the pool's common store for every mbuf.
    private void Enter()
    {
        ObjectDisposedException.ThrowIf(!Device.IsOpen || _disposed, this);
        _ = DpdkThread.Lcore;
        _entered = true;
    }

    /// <summary>Gives back what waits to be received and, where the port opened the device, closes it. Its worker must have stopped.</summary>
    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }
        if (Device.IsOpen)
        {
            // A software ring is freed with what is in it, and the pool would never get that back. A wire that does not rest ends it too.
            var burst = new Packet[MaxBurst];
            for (int i = 0, count; i < DrainBursts && (count = Receive(burst)) > 0; i++)
            {
                Return(burst.AsSpan(0, count));
            }
        }
        (_disposed, _entered) = (true, false);
        if (_ownsDevice)
        {
            Device.Dispose();
        }
    }
}
