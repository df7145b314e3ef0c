using Skep.DataPlane.Buffers;
using Skep.DataPlane.Ports;
using Skep.DataPlane.Ports.Dpdk;

namespace Skep.Bench.DataPlane.Dpdk;

/// <summary>A <c>net_ring</c>, which gives out what the generator sends into it, and a <c>net_null</c>, which throws away: a frame is copied into its mbuf, and never again.</summary>
internal sealed class DpdkWire : BenchWire
{
    private const int Buffers = 4096;
    private readonly MbufPool _pool = new(Buffers);
    private readonly DpdkPort _front, _back;
    private readonly Packet[] _burst = new Packet[64];
    private long _taken;

    public DpdkWire()
    {
        _front = new DpdkPort("net_ring2", _pool);
        _back = new DpdkPort("net_null2,no-rx=1", _pool);
    }

    public override PacketPool Pool => _pool;

    public override IPort Front => _front;

    public override IPort Back => _back;

    public override void Put(ReadOnlySpan<byte[]> frames)
    {
        for (int i = 0; i < frames.Length; i++)
        {
            if (!_pool.TryCopy(frames[i], out _burst[i]))
            {
                throw new InvalidOperationException("the pool is empty");
            }
        }
        if (_front.Send(_burst.AsSpan(0, frames.Length)) != frames.Length)
        {
            throw new InvalidOperationException("the ring is full: packets were lost");
        }
    }

    public override int Take()
    {
        int count = (int)(_back.Counters.Sent - _taken);
        _taken += count;
        return count;
    }

    public override void Dispose()
    {
        _front.Dispose();
        _back.Dispose();
        _pool.Dispose();
    }
}
