using Skep.DataPlane.Buffers;
using Skep.DataPlane.Ports;

namespace Skep.Bench.DataPlane;

/// <summary>Rings in memory: a frame is copied in, to the worker, out, and looked at.</summary>
internal sealed class MemoryWire : BenchWire
{
    private readonly PacketPool _pool = new(256);
    private readonly MemoryPort _front, _back;

    public MemoryWire(int burst)
    {
        _front = new MemoryPort("front", BenchRig.Us, _pool, burst);
        _back = new MemoryPort("back", BenchRig.Us, _pool, burst);
    }

    public override PacketPool Pool => _pool;

    public override IPort Front => _front;

    public override IPort Back => _back;

    public override void Put(ReadOnlySpan<byte[]> frames)
    {
        foreach (byte[] frame in frames)
        {
            if (!_front.Inject(frame))
            {
                throw new InvalidOperationException("the ring is full: packets were lost");
            }
        }
    }

    public override int Take()
    {
        int count = 0;
        for (; _back.TryPeek(out _); _back.Advance())
        {
            count++;
        }
        return count;
    }

    public override void Dispose()
    {
        _front.Dispose();
        _back.Dispose();
        _pool.Dispose();
    }
}
