using System.Runtime.InteropServices;
using Skep.DataPlane.Native;

namespace Skep.DataPlane.Buffers;

/// <summary>
/// A fixed number of packet buffers outside the collector's heap: one worker's own, without locks. What is not there cannot be
/// received, so a burst larger than the pool waits in the port and is dropped there, by whoever fills it.
/// </summary>
public unsafe class PacketPool : IDisposable
{
    /// <summary>The smallest buffer: the balancer makes its own short answers in the buffers it received.</summary>
    public const int MinBufferBytes = 128;
    private const int LineBytes = 64;
    private const int PageBytes = 4096;
    private const int HalfPageBytes = PageBytes / 2;
    private readonly int[] _free = [];
    private readonly bool[] _rented = [];
    private byte* _memory;
    private BufferHeader* _headers;
    private int _available;

    /// <summary>Makes a pool.</summary>
    /// <param name="buffers">How many buffers.</param>
    /// <param name="bufferBytes">The longest frame one may hold.</param>
    /// <param name="withinPages">Whether no buffer may cross a page, as zero copy between a network device and the pool takes.</param>
    /// <exception cref="ArgumentOutOfRangeException">
    /// There is no buffer, or one is under 128 or over 65,535 bytes, or over 4,096 and must not cross a page.
    /// </exception>
    /// <exception cref="IOException">There is not that much memory.</exception>
    public PacketPool(int buffers, int bufferBytes = 2048, bool withinPages = false)
        : this(buffers, bufferBytes, withinPages ? PageBytes : ushort.MaxValue)
    {
        // An odd number of cache lines apart, so that the frames' first lines do not all fall into the same sets.
        int lines = (bufferBytes + LineBytes - 1) / LineBytes;
        StrideBytes = !withinPages ? (lines | 1) * LineBytes : bufferBytes <= HalfPageBytes ? HalfPageBytes : PageBytes;
        // Whole pages, since a kernel that shares the memory takes nothing less.
        MemoryBytes = ((nuint)buffers * (nuint)StrideBytes + PageBytes - 1) / PageBytes * PageBytes;
        // Mapped and not from the heap: pages that a device still writes to when the pool goes must not become somebody else's.
        const int readWrite = 3, privateAnonymous = 0x22;
        void* memory = Libc.MMap(null, MemoryBytes, readWrite, privateAnonymous, -1, 0);
        _memory = (nint)memory == -1 ? throw Libc.Failed($"no {MemoryBytes} bytes can be had for packet buffers") : (byte*)memory;
        // Beside the buffers, not in them: a device may use all of a buffer.
        _headers = (BufferHeader*)NativeMemory.AlignedAlloc((nuint)buffers * BufferHeader.SizeBytes, BufferHeader.SizeBytes);
        NativeMemory.Clear(_headers, (nuint)buffers * BufferHeader.SizeBytes);
        _free = new int[buffers];
        _rented = new bool[buffers];
        for (int i = 0; i < buffers; i++)
        {
            _free[i] = buffers - 1 - i;
            BufferHeader* header = _headers + i;
            header->Room = _memory + (nint)i * StrideBytes;
            (header->RoomBytes, header->Number) = (RoomBytes, i);
            header->Owner = _memory;
        }
        _available = buffers;
    }

    /// <summary>For a pool whose memory is another's.</summary>
    private protected PacketPool(int buffers, int bufferBytes, int mostBytes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(buffers, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(bufferBytes, MinBufferBytes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bufferBytes, mostBytes);
        (Buffers, BufferBytes) = (buffers, bufferBytes);
    }

    /// <summary>The longest frame that a buffer holds.</summary>
    public int BufferBytes { get; }

    /// <summary>How many buffers there are.</summary>
    public int Buffers { get; }

    /// <summary>Buffers that nobody holds.</summary>
    public virtual int Available => _available;

    /// <summary>Whether there is no buffer left for the calling thread; quicker than <see cref="Available"/> where threads share a pool.</summary>
    public virtual bool IsEmpty => _available == 0;

    /// <summary>Where the buffers lie, from a page's start on; null where the memory is another's.</summary>
    internal byte* Memory => _memory;

    /// <summary>How many bytes lie there: whole pages.</summary>
    internal nuint MemoryBytes { get; }

    /// <summary>From one buffer's start to the next one's.</summary>
    internal int StrideBytes { get; }

    private ushort RoomBytes => (ushort)Math.Min(StrideBytes, ushort.MaxValue);

    /// <summary>Takes a buffer.</summary>
    /// <param name="lengthBytes">The frame's length.</param>
    /// <param name="packet">The frame: its bytes are whatever was there before.</param>
    /// <returns>Whether there was a buffer left.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The length is negative or over <see cref="BufferBytes"/>.</exception>
    public virtual bool TryRent(int lengthBytes, out Packet packet)
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
        packet = new Packet(_headers + buffer, offset: 0, lengthBytes);
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

    /// <summary>The frame that somebody else, the kernel, wrote into a rented buffer.</summary>
    /// <param name="offset">Where it begins, from <see cref="Memory"/>.</param>
    /// <param name="lengthBytes">The frame's length.</param>
    /// <exception cref="ArgumentOutOfRangeException">It would reach out of its buffer.</exception>
    internal Packet At(nuint offset, int lengthBytes)
    {
        (nuint buffer, nuint start) = Math.DivRem(offset, (nuint)StrideBytes);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(buffer, (nuint)_rented.Length, nameof(offset));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(start, RoomBytes, nameof(offset));
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)lengthBytes, RoomBytes - (uint)start, nameof(lengthBytes));
        return new Packet(_headers + buffer, (ushort)start, lengthBytes);
    }

    /// <summary>Where a packet begins, from <see cref="Memory"/>.</summary>
    /// <exception cref="ArgumentException">It is in another pool's buffer.</exception>
    internal nuint OffsetOf(in Packet packet)
    {
        nuint offset = (nuint)(packet.Start - _memory);
        return offset < MemoryBytes ? offset : throw new ArgumentException("the packet is in another pool's buffer", nameof(packet));
    }

    /// <summary>Gives a buffer back.</summary>
    /// <exception cref="InvalidOperationException">It was given back already (two places hold it, and one would overwrite the other), or came from another pool.</exception>
    public virtual void Return(Packet packet)
    {
        if (packet.Header->Owner != _memory)
        {
            throw new InvalidOperationException("a packet was given back to another pool than it came from: all ports of a worker must have the same");
        }
        ref bool rented = ref _rented[packet.Buffer];
        if (!rented)
        {
            throw new InvalidOperationException($"packet buffer {packet.Buffer} was given back twice");
        }
        rented = false;
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
        Free();
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees the memory; called again it does nothing.</summary>
    private protected virtual void Free()
    {
        if (_memory != null)
        {
            _ = Libc.MUnmap(_memory, MemoryBytes);
            NativeMemory.AlignedFree(_headers);
            _memory = null;
            _headers = null;
        }
        _available = 0;
    }
}
