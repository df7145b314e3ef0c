using System.Runtime.InteropServices;
using Skep.DataPlane.Buffers;

namespace Skep.DataPlane.Ports.Dpdk.Native;

/// <summary>
/// Holds DPDK's structures, as they lie in memory, to what is known of them: of a build with other settings the numbers would be
/// elsewhere, and packets would be written over them.
/// </summary>
internal static unsafe class LayoutCheck
{
    private const string UsualStore = "ring_mp_mc";

    /// <summary>Looks at a new pool, its caches and one of its mbufs.</summary>
    /// <exception cref="IOException">Something is not where it should be.</exception>
    public static void Require(Mempool* pool, MempoolOps* ops, uint buffers, uint cache, int roomBytes)
    {
        Hold(pool->Size == buffers && pool->Populated == buffers, "rte_mempool.size");
        Hold(pool->CacheSize == cache, "rte_mempool.cache_size");
        Hold(pool->ElementBytes == Mbuf.SizeBytes + roomBytes, "rte_mempool.elt_size");
        Hold(pool->LocalCaches != null, "rte_mempool.local_cache");
        // Two in a row, so that a cache's length is right as well.
        for (int i = 0; i < 2; i++)
        {
            Hold(pool->LocalCaches[i].Size == cache && pool->LocalCaches[i].Length == 0 && pool->LocalCaches[i].FlushThreshold == cache * 3 / 2, "rte_mempool_cache");
        }
        Hold(Marshal.PtrToStringUTF8((nint)ops->Name) == UsualStore, "rte_mempool_ops.name");
        Hold(ops->Enqueue != null && ops->Dequeue != null, "rte_mempool_ops.enqueue");
        Hold(MempoolCalls.TryGet(pool, ops, null, out void* taken), "rte_mempool_ops.dequeue");
        var mbuf = (BufferHeader*)taken;
        Hold(mbuf->Room == (byte*)mbuf + Mbuf.SizeBytes, "rte_mbuf.buf_addr");
        Hold(mbuf->Rearm == Mbuf.Fresh, "rte_mbuf.data_off");
        Hold(mbuf->RoomBytes == roomBytes, "rte_mbuf.buf_len");
        Hold(mbuf->Pool == pool, "rte_mbuf.pool");
        Hold(*(void**)((byte*)mbuf + Mbuf.NextOffset) == null, "rte_mbuf.next");
        MempoolCalls.Put(pool, ops, null, mbuf);
    }

    private static void Hold(bool condition, string what)
    {
        if (!condition)
        {
            throw new IOException($"DPDK's {what} is not where it is in 22.11: this build of DPDK cannot be used");
        }
    }
}
