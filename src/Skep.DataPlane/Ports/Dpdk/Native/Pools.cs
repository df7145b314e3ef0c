using System.Runtime.InteropServices;
using Skep.DataPlane.Buffers;

namespace Skep.DataPlane.Ports.Dpdk.Native;

/// <summary>The calls into librte_mempool and librte_mbuf.</summary>
internal static unsafe partial class Pools
{
    private const string MbufLibrary = "librte_mbuf.so.23";
    private const string MempoolLibrary = "librte_mempool.so.23";

    [LibraryImport(MbufLibrary, EntryPoint = "rte_pktmbuf_pool_create", StringMarshalling = StringMarshalling.Utf8)]
    public static partial Mempool* Create(string name, uint count, uint cacheSize, ushort privateBytes, ushort dataRoomBytes, int socket);

    [LibraryImport(MbufLibrary, EntryPoint = "rte_pktmbuf_free_bulk")]
    public static partial void FreeBulk(BufferHeader** mbufs, uint count);

    [LibraryImport(MempoolLibrary, EntryPoint = "rte_mempool_free")]
    public static partial void Free(Mempool* pool);

    [LibraryImport(MempoolLibrary, EntryPoint = "rte_mempool_avail_count")]
    public static partial uint Available(Mempool* pool);

    /// <summary>How a pool's common store is reached.</summary>
    public static MempoolOps* Ops(Mempool* pool)
    {
        var table = (MempoolOpsTable*)NativeLibrary.GetExport(NativeLibrary.Load(MempoolLibrary), "rte_mempool_ops_table");
        return (uint)pool->OpsIndex < table->Count
            ? (MempoolOps*)((byte*)table + MempoolOpsTable.FirstOffset) + pool->OpsIndex
            : throw new IOException($"the pool's ops are number {pool->OpsIndex} of {table->Count}: DPDK's structures are not laid out as those of 22.11");
    }
}
