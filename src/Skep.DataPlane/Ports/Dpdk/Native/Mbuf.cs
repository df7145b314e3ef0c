using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Skep.DataPlane.Buffers;

namespace Skep.DataPlane.Ports.Dpdk.Native;

/// <summary>What is known of <c>struct rte_mbuf</c> beyond its first cache line, the <see cref="BufferHeader"/>.</summary>
internal static unsafe class Mbuf
{
    public const int SizeBytes = 128;

    /// <summary>RTE_PKTMBUF_HEADROOM: bytes that are left free before a frame.</summary>
    public const int HeadroomBytes = 128;

    /// <summary>Flags of an mbuf whose bytes are not its own: attached to another, or outside any pool.</summary>
    public const ulong Attached = 3ul << 61;

    /// <summary>data_off, refcnt, nb_segs and port of an mbuf fresh from its pool.</summary>
    public const ulong Fresh = HeadroomBytes | 1ul << 16 | 1ul << 32 | 0xFFFFul << 48;

    /// <summary>The next segment; null in the last.</summary>
    public const int NextOffset = 64;

    /// <summary>RTE_MBUF_F_RX_VLAN_STRIPPED: the driver took a VLAN tag off and keeps it beside the frame.</summary>
    public const ulong TagTakenOff = 1UL << 6;

    private const int StateOffset = 16;

    // Of what a driver writes at once: bits of any headroom but the usual one or none, and of more segments than one.
    private const ulong UnusualRearm = (0xFFFFul ^ HeadroomBytes) | 0xFFFEul << 32;

    /// <summary>Whether a frame lies in one segment, and a short answer would fit in its place.</summary>
    public static bool IsWhole(BufferHeader* mbuf) =>
        mbuf->Segments == 1 && mbuf->Offset + Math.Max((int)mbuf->Length, PacketPool.MinBufferBytes) <= mbuf->RoomBytes;

    /// <summary>
    /// How many of the first are as nearly all are: one segment, behind no more than the usual headroom, so that an answer has room, and
    /// with its tag. A few more may be. A method of its own: beside a call to a driver the compiler would keep what the loop needs in memory.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static int CountUsual(Packet* packets, int count)
    {
        const int atOnce = 8;
        Vector128<ulong> unusual = Vector128.Create(UnusualRearm, TagTakenOff);
        Packet* at = packets, last = packets + (count - atOnce);
        // One load and one or for each, and one look at eight of them.
        for (; at <= last; at += atOnce)
        {
            Vector128<ulong> all = State(at[0]) | State(at[1]) | State(at[2]) | State(at[3]) | State(at[4]) | State(at[5]) | State(at[6]) | State(at[7]);
            if ((all & unusual) != Vector128<ulong>.Zero)
            {
                break;
            }
        }
        return (int)(at - packets);
    }

    // data_off, refcnt, nb_segs and port, and ol_flags, which lie side by side. By a number, for of a field's address the compiler checks
    // that it is none of null's.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<ulong> State(Packet packet) => Vector128.LoadAligned((ulong*)((byte*)packet.Header + StateOffset));
}
