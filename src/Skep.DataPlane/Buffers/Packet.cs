namespace Skep.DataPlane.Buffers;

/// <summary>
/// A frame in a buffer of a <see cref="PacketPool"/>: a handle, to be owned by one place at a time. Whoever holds it last gives the
/// buffer back; the bytes must not be touched after that.
/// </summary>
public unsafe struct Packet
{
    private readonly byte* _start;

    internal Packet(byte* start, int buffer, int length)
    {
        _start = start;
        Buffer = buffer;
        Length = length;
    }

    /// <summary>Bytes of the frame.</summary>
    public int Length { readonly get; internal set; }

    /// <summary>Number of the buffer in its pool.</summary>
    internal int Buffer { get; }

    /// <summary>The frame.</summary>
    public readonly Span<byte> Bytes => new(_start, Length);
}
