using System.Runtime.InteropServices;

namespace Skep.DataPlane.Buffers;

/// <summary>
/// A fixed number of packet buffers outside the collector's heap: one worker's own, without locks. What is not there cannot be
/// received, so a burst larger than the pool waits in the port and is dropped there, by whoever fills it.
/// </summary>
public sealed unsafe class PacketPool : IDisposable
{
    /// <summary>The smallest buffer: the balancer makes its own short answers in the buffers it received.</summary>
    public const int MinBufferBytes = 128;
    private const int Alignment = 64;
    private readonly int[] _free;
    private readonly bool[] _rented;
    private readonly int _strideBytes;
    private byte* _memory;
    private int _available;

    /// <summary>Makes a pool.</summary>
    /// <param name="buffers">How many buffers.</param>
    /// <param name="bufferBytes">The longest frame one may hold.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no buffer, or one is under 128 or over 65,535 bytes.</exception>
    public PacketPool(int buffers, int bufferBytes = 2048)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(buffers, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(bufferBytes, MinBufferBytes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bufferBytes, ushort.MaxValue);
        BufferBytes = bufferBytes;
        // An odd number of cache lines apart, so that the frames' first lines do not all fall into the same sets.
        int lines = (bufferBytes + Alignment - 1) / Alignment;
        _strideBytes = (lines | 1) * Alignment;
        _memory = (byte*)NativeMemory.AlignedAlloc((nuint)buffers * (nuint)_strideBytes, Alignment);
        NativeMemory.Clear(_memory, (nuint)buffers * (nuint)_strideBytes);
        _free = new int[buffers];
        _rented = new bool[buffers];
        for (int i = 0; i < buffers; i++)
        {
            _free[i] = buffers - 1 - i;
        }
        _available = buffers;
    }

    /// <summary>The longest frame that a buffer holds.</summary>
    public int BufferBytes { get; }

    /// <summary>Buffers that nobody holds.</summary>
    public int Available => _available;

    /// <summary>Takes a buffer.</summary>
    /// <param name="lengthBytes">The frame's length.</param>
    /// <param name="packet">The frame: its bytes are whatever was there before.</param>
    /// <returns>Whether there was a buffer left.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The length is negative or over <see cref="BufferBytes"/>.</exception>
    public bool TryRent(int lengthBytes, out Packet packet)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)lengthBytes, (uint)BufferBytes, nameof(lengthBytes));
        if (_available == 0)
        {
            packet = default;
            return false;
        }
        ObjectDisposedException.ThrowIf(_memory == null, this);
        int buffer = _free[--_available];
        _rented[buffer] = true;
        packet = new Packet(_memory + (nint)buffer * _strideBytes, buffer, lengthBytes);
        return true;
    }

    /// <summary>Takes a buffer and copies a frame into it.</summary>
    /// <returns>Whether there was a buffer left and the frame fitted.</returns>
    public bool TryCopy(ReadOnlySpan<byte> frame, out Packet packet)
    {
        packet = default;
        if (frame.Length > BufferBytes || !TryRent(frame.Length, out packet))
        {
            return false;
        }
        frame.CopyTo(packet.Bytes);
        return true;
    }

    /// <summary>Gives a buffer back.</summary>
    /// <exception cref="InvalidOperationException">It was given back already: two places hold it, and one would overwrite the other.</exception>
    public void Return(Packet packet)
    {
        if (!_rented[packet.Buffer])
        {
            throw new InvalidOperationException($"packet buffer {packet.Buffer} was given back twice");
        }
        _rented[packet.Buffer] = false;
        _free[_available++] = packet.Buffer;
    }

    /// <summary>Gives buffers back.</summary>
    public void Return(ReadOnlySpan<Packet> packets)
    {
        foreach (ref readonly Packet packet in packets)
        {
            Return(packet);
        }
    }

    /// <summary>Frees the memory. No packet of the pool may be used any more.</summary>
    public void Dispose()
    {
        NativeMemory.AlignedFree(_memory);
        _memory = null;
        _available = 0;
    }
}
