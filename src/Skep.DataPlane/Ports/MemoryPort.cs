using Skep.DataPlane.Buffers;
using Skep.DataPlane.Packets;

namespace Skep.DataPlane.Ports;

/// <summary>A port that is two rings in memory: what is injected is received, what is sent can be taken. One other thread may be at the far side.</summary>
public sealed class MemoryPort : IPort
{
    private readonly PacketPool _pool;
    private readonly FrameRing _inbound;
    private readonly FrameRing _outbound;

    /// <summary>Makes the port.</summary>
    /// <param name="name">What people call it.</param>
    /// <param name="mac">Its address.</param>
    /// <param name="pool">Where received frames get their buffers.</param>
    /// <param name="slots">Frames that wait at most, each way; rounded up to a power of two.</param>
    public MemoryPort(string name, MacAddress mac, PacketPool pool, int slots = 256)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(slots, 1);
        (Name, Mac, _pool) = (name, mac, pool);
        _inbound = new FrameRing(slots, pool.BufferBytes);
        _outbound = new FrameRing(slots, pool.BufferBytes);
    }

    /// <inheritdoc />
    public string Name { get; }

    /// <inheritdoc />
    public MacAddress Mac { get; }

    /// <inheritdoc />
    public int MtuBytes { get; init; } = int.MaxValue;

    /// <inheritdoc />
    public int WaitDescriptor => -1;

    /// <inheritdoc />
    public PacketPool Pool => _pool;

    /// <inheritdoc />
    public PortCounters Counters { get; } = new();

    /// <summary>Whether the worker has received all that was injected.</summary>
    public bool IsDrained => _inbound.IsEmpty;

    /// <summary>The far side sends a frame.</summary>
    /// <returns>False where the ring is full or the frame longer than a buffer.</returns>
    public bool Inject(ReadOnlySpan<byte> frame) => _inbound.TryWrite(frame);

    /// <summary>The far side looks at the oldest frame that was sent; it stays until <see cref="Advance"/>.</summary>
    public bool TryPeek(out ReadOnlySpan<byte> frame) => _outbound.TryPeek(out frame);

    /// <summary>The far side has done with the oldest frame.</summary>
    public void Advance() => _outbound.Advance();

    /// <summary>The far side takes a copy of the oldest frame that was sent.</summary>
    /// <returns>The frame; null where none was sent.</returns>
    public byte[]? Take()
    {
        if (!_outbound.TryPeek(out ReadOnlySpan<byte> frame))
        {
            return null;
        }
        byte[] copy = frame.ToArray();
        _outbound.Advance();
        return copy;
    }

    /// <inheritdoc />
    public int Receive(Span<Packet> burst)
    {
        int count = 0;
        while (count < burst.Length && _inbound.TryPeek(out ReadOnlySpan<byte> frame) && _pool.TryCopy(frame, out burst[count]))
        {
            _inbound.Advance();
            count++;
        }
        Counters.Received += count;
        return count;
    }

    /// <inheritdoc />
    public int Send(ReadOnlySpan<Packet> burst)
    {
        int count = 0;
        while (count < burst.Length && _outbound.TryWrite(burst[count].Bytes))
        {
            _pool.Return(burst[count]);
            count++;
        }
        Counters.Sent += count;
        return count;
    }

    /// <inheritdoc />
    public void Return(ReadOnlySpan<Packet> burst) => _pool.Return(burst);

    /// <inheritdoc />
    public void Dispose()
    {
        _inbound.Dispose();
        _outbound.Dispose();
    }
}
