namespace Skep.DataPlane.Buffers;

/// <summary>
/// A frame in a buffer of a <see cref="PacketPool"/>: a handle, to be owned by one place at a time. Whoever holds it last gives the
/// buffer back; the bytes must not be touched after that. It is one pointer, so that a burst of packets is what DPDK calls an array of mbufs.
/// </summary>
public readonly unsafe struct Packet
{
    internal Packet(BufferHeader* header, ushort offset, int lengthBytes)
    {
        Header = header;
        header->Offset = offset;
        SetLengthUnchecked(lengthBytes);
    }

    /// <summary>What is known of the buffer.</summary>
    internal BufferHeader* Header { get; }

    /// <summary>Bytes of the frame.</summary>
    public int Length => Header->Length;

    /// <summary>The frame.</summary>
    public Span<byte> Bytes => new(Start, Header->Length);

    /// <summary>Where its first byte is.</summary>
    internal byte* Start => Header->Room + Header->Offset;

    /// <summary>Number of the buffer in its pool; an mbuf has none.</summary>
    internal int Buffer => Header->Number;

    /// <summary>Makes the frame longer or shorter.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The buffer has no such room.</exception>
    internal void SetLength(int lengthBytes)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)lengthBytes, (uint)(Header->RoomBytes - Header->Offset), nameof(lengthBytes));
        SetLengthUnchecked(lengthBytes);
    }

    private void SetLengthUnchecked(int lengthBytes)
    {
        Header->WholeLength = (uint)lengthBytes;
        Header->Length = (ushort)lengthBytes;
    }
}
