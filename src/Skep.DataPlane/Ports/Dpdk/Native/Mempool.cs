using System.Runtime.InteropServices;

namespace Skep.DataPlane.Ports.Dpdk.Native;

/// <summary>The part of DPDK 22.11's <c>struct rte_mempool</c> that is used here (rte_mempool.h), built without statistics, as Debian does.</summary>
[StructLayout(LayoutKind.Explicit, Size = 192)]
internal unsafe struct Mempool
{
    [FieldOffset(64)] public uint Size;
    [FieldOffset(68)] public uint CacheSize;
    [FieldOffset(72)] public uint ElementBytes;
    [FieldOffset(88)] public int OpsIndex;
    [FieldOffset(96)] public MempoolCache* LocalCaches;
    [FieldOffset(104)] public uint Populated;
}

/// <summary><c>struct rte_mempool_cache</c>: objects that one lcore has at hand, without locks.</summary>
[StructLayout(LayoutKind.Explicit, Size = ObjectsOffset + 2 * MaxSize * 8)]
internal unsafe struct MempoolCache
{
    public const int MaxSize = 512;
    public const int ObjectsOffset = 64;
    [FieldOffset(0)] public uint Size;
    [FieldOffset(4)] public uint FlushThreshold;
    [FieldOffset(8)] public uint Length;
}

/// <summary><c>struct rte_mempool_ops</c>: how a pool's common store is reached.</summary>
[StructLayout(LayoutKind.Explicit, Size = 128)]
internal unsafe struct MempoolOps
{
    public const int NameBytes = 32;
    [FieldOffset(0)] public fixed byte Name[NameBytes];
    [FieldOffset(48)] public delegate* unmanaged<Mempool*, void**, uint, int> Enqueue;
    [FieldOffset(56)] public delegate* unmanaged<Mempool*, void**, uint, int> Dequeue;
}

/// <summary><c>struct rte_mempool_ops_table</c>: the ways there are.</summary>
[StructLayout(LayoutKind.Explicit)]
internal unsafe struct MempoolOpsTable
{
    public const int FirstOffset = 64;
    [FieldOffset(4)] public uint Count;
}
