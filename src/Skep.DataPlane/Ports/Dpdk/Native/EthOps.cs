using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Skep.DataPlane.Buffers;

namespace Skep.DataPlane.Ports.Dpdk.Native;

/// <summary>
/// <c>struct rte_eth_fp_ops</c> (rte_ethdev_core.h): a device's burst functions and its queues, which rte_eth_rx_burst and
/// rte_eth_tx_burst, both inline in C, call. Callbacks that others may have hung in (pdump) are passed over.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = SizeBytes)]
internal unsafe struct EthOps
{
    public const int SizeBytes = 128;
    [FieldOffset(0)] public void* ReceiveBurst;
    [FieldOffset(24)] public void** ReceiveQueues;
    [FieldOffset(64)] public void* SendBurst;
    [FieldOffset(88)] public void** SendQueues;

    /// <summary>Asks the driver for packets.</summary>
    /// <returns>How many; no more than asked for.</returns>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static int Receive(EthOps* ops, int queue, Packet* packets, int asked) =>
        ((delegate* unmanaged<void*, Packet*, ushort, ushort>)ops->ReceiveBurst)(ops->ReceiveQueues[queue], packets, (ushort)asked);

    /// <summary>The same of a driver whose bursts make no system call, take no lock and end within microseconds: the collector is not told.</summary>
    public static int ReceiveShort(EthOps* ops, int queue, Packet* packets, int asked) =>
        ((delegate* unmanaged[SuppressGCTransition]<void*, Packet*, ushort, ushort>)ops->ReceiveBurst)(ops->ReceiveQueues[queue], packets, (ushort)asked);

    /// <summary>Hands packets to the driver.</summary>
    /// <returns>How many of the first it took.</returns>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static int Send(EthOps* ops, int queue, Packet* packets, int count) =>
        ((delegate* unmanaged<void*, Packet*, ushort, ushort>)ops->SendBurst)(ops->SendQueues[queue], packets, (ushort)count);

    /// <summary>The same of a driver as for <see cref="ReceiveShort"/>.</summary>
    public static int SendShort(EthOps* ops, int queue, Packet* packets, int count) =>
        ((delegate* unmanaged[SuppressGCTransition]<void*, Packet*, ushort, ushort>)ops->SendBurst)(ops->SendQueues[queue], packets, (ushort)count);
}
