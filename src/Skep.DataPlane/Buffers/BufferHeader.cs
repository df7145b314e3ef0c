using System.Runtime.InteropServices;

namespace Skep.DataPlane.Buffers;

/// <summary>
/// What is known of every packet's buffer: the first cache line of DPDK's <c>struct rte_mbuf</c> (22.11,
/// rte_mbuf_core.h, with physical addresses as Debian builds it), so that what its drivers fill and take are packets as they are.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = SizeBytes)]
internal unsafe struct BufferHeader
{
    public const int SizeBytes = 64;

    /// <summary>buf_addr: where the room for the frame begins.</summary>
    [FieldOffset(0)] public byte* Room;

    /// <summary>buf_iova: in a pool that is not DPDK's, where the pool's memory begins.</summary>
    [FieldOffset(8)] public void* Owner;

    /// <summary>data_off, refcnt, nb_segs and port, which drivers write at once.</summary>
    [FieldOffset(16)] public ulong Rearm;

    /// <summary>data_off: how far into the room the frame begins.</summary>
    [FieldOffset(16)] public ushort Offset;

    /// <summary>refcnt.</summary>
    [FieldOffset(18)] public ushort References;

    /// <summary>nb_segs.</summary>
    [FieldOffset(20)] public ushort Segments;

    /// <summary>ol_flags: what a driver says of the frame, or is to do with it.</summary>
    [FieldOffset(24)] public ulong Flags;

    /// <summary>pkt_len: the frame's length, over all segments.</summary>
    [FieldOffset(36)] public uint WholeLength;

    /// <summary>data_len: the length of this segment.</summary>
    [FieldOffset(40)] public ushort Length;

    /// <summary>hash: in a pool that is not DPDK's, the buffer's number.</summary>
    [FieldOffset(44)] public int Number;

    /// <summary>buf_len: how large the room is.</summary>
    [FieldOffset(54)] public ushort RoomBytes;

    /// <summary>pool: DPDK's pool; null in any other.</summary>
    [FieldOffset(56)] public void* Pool;
}
