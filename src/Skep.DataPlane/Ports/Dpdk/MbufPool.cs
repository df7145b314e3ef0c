using Skep.DataPlane.Buffers;
using Skep.DataPlane.Ports.Dpdk.Native;

namespace Skep.DataPlane.Ports.Dpdk;

/// <summary>
/// Packet buffers that are DPDK's mbufs, so that its ports receive and send without a copy. A worker with a <see cref="DpdkPort"/> has
/// such a pool for all its ports. Threads may share it; each has free mbufs of its own at hand.
/// </summary>
public sealed unsafe class MbufPool : PacketPool
{
    private const int MaxBufferBytes = ushort.MaxValue - Mbuf.HeadroomBytes;
    private static int s_made;
    private readonly MempoolOps* _ops;
    private Mempool* _pool;
    private int _devices;

    /// <summary>Makes a pool. <see cref="DpdkEal.Start"/> comes first.</summary>
    /// <param name="buffers">How many mbufs. Up to 384 of them wait with each thread that uses the pool, and a device keeps as many as it has descriptors.</param>
    /// <param name="bufferBytes">The longest frame one may hold.</param>
    /// <exception cref="ArgumentOutOfRangeException">There are fewer than 32 mbufs, or one is under 128 or over 65,407 bytes.</exception>
    /// <exception cref="InvalidOperationException">DPDK has not started.</exception>
    /// <exception cref="IOException">There is no memory left, or DPDK's structures are not laid out as they should be.</exception>
    public MbufPool(int buffers, int bufferBytes = 2048)
        : base(buffers, bufferBytes, MaxBufferBytes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(buffers, 32);
        DpdkEal.RequireStarted();
        lock (DpdkEal.Control)
        {
            EalLog.Begin();
            // The cache may be full and two thirds of that again out of reach of the store: DPDK wants that many mbufs at least.
            uint cache = (uint)Math.Min(256, buffers / 2);
            _pool = Pools.Create($"skep{Interlocked.Increment(ref s_made)}", (uint)buffers, cache, 0, (ushort)(bufferBytes + Mbuf.HeadroomBytes), -1);
            if (_pool == null)
            {
                throw new IOException($"no {buffers} packet buffers of {bufferBytes} bytes can be had ({Eal.Text(Eal.Error)}): {EalLog.Read()}");
            }
            _ops = Pools.Ops(_pool);
            LayoutCheck.Require(_pool, _ops, (uint)buffers, cache, bufferBytes + Mbuf.HeadroomBytes);
        }
    }

    /// <inheritdoc />
    public override int Available => _pool == null ? 0 : (int)Pools.Available(_pool);

    /// <inheritdoc />
    public override bool IsEmpty
    {
        get
        {
            if (_pool == null)
            {
                return true;
            }
            MempoolCache* cache = Cache();
            return (cache == null || cache->Length == 0) && Available == 0;
        }
    }

    /// <summary>DPDK's pool.</summary>
    internal Mempool* Native => _pool;

    /// <inheritdoc />
    public override bool TryRent(int lengthBytes, out Packet packet)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)lengthBytes, (uint)BufferBytes, nameof(lengthBytes));
        ObjectDisposedException.ThrowIf(_pool == null, this);
        if (!MempoolCalls.TryGet(_pool, _ops, Cache(), out void* taken))
        {
            packet = default;
            return false;
        }
        var mbuf = (BufferHeader*)taken;
        (mbuf->Rearm, mbuf->Flags) = (Mbuf.Fresh, 0);
        packet = new Packet(mbuf, Mbuf.HeadroomBytes, lengthBytes);
        return true;
    }

    /// <inheritdoc />
    public override void Return(Packet packet)
    {
        BufferHeader* mbuf = packet.Header;
        // Shared, chained, attached or another such pool's: DPDK knows what to do.
        if (mbuf->Pool != _pool || mbuf->References != 1 || mbuf->Segments != 1 || (mbuf->Flags & Mbuf.Attached) != 0)
        {
            RequireMbuf(packet);
            Pools.FreeBulk(&mbuf, 1);
            return;
        }
        MempoolCalls.Put(_pool, _ops, Cache(), mbuf);
    }

    /// <summary>Holds a packet to be an mbuf.</summary>
    /// <exception cref="InvalidOperationException">It is another kind of pool's.</exception>
    internal static void RequireMbuf(Packet packet)
    {
        if (packet.Header->Pool == null)
        {
            throw new InvalidOperationException("a packet of another pool came to one of mbufs: all ports of a worker must have the same pool");
        }
    }

    /// <summary>A device begins or ends to take mbufs out of it.</summary>
    internal void Use(bool begins) => Interlocked.Add(ref _devices, begins ? 1 : -1);

    // While mbufs are out, or a device could take some, the memory stays, at worst until the process ends.
    private protected override void Free()
    {
        if (_pool != null && _devices == 0 && Available == Buffers)
        {
            lock (DpdkEal.Control)
            {
                Pools.Free(_pool);
            }
        }
        _pool = null;
    }

    private MempoolCache* Cache() => DpdkThread.Lcore is var lcore and >= 0 ? _pool->LocalCaches + lcore : null;
}
