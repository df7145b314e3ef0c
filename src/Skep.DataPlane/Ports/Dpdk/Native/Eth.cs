using System.Runtime.InteropServices;

namespace Skep.DataPlane.Ports.Dpdk.Native;

/// <summary>The calls into librte_ethdev.</summary>
internal static unsafe partial class Eth
{
    public const string Library = "librte_ethdev.so.23";
    public const int MaxPorts = 32;

    [LibraryImport(Library, EntryPoint = "rte_eth_dev_get_port_by_name", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int PortByName(string name, ushort* port);

    [LibraryImport(Library, EntryPoint = "rte_eth_dev_socket_id")]
    public static partial int Socket(ushort port);

    [LibraryImport(Library, EntryPoint = "rte_eth_dev_info_get")]
    public static partial int Info(ushort port, EthDeviceInfo* info);

    [LibraryImport(Library, EntryPoint = "rte_eth_dev_configure")]
    public static partial int Configure(ushort port, ushort receiveQueues, ushort sendQueues, EthConfig* config);

    [LibraryImport(Library, EntryPoint = "rte_eth_dev_adjust_nb_rx_tx_desc")]
    public static partial int AdjustDescriptors(ushort port, ushort* receive, ushort* send);

    [LibraryImport(Library, EntryPoint = "rte_eth_rx_queue_setup")]
    public static partial int SetUpReceive(ushort port, ushort queue, ushort descriptors, uint socket, void* config, Mempool* pool);

    [LibraryImport(Library, EntryPoint = "rte_eth_tx_queue_setup")]
    public static partial int SetUpSend(ushort port, ushort queue, ushort descriptors, uint socket, void* config);

    [LibraryImport(Library, EntryPoint = "rte_eth_dev_get_mtu")]
    public static partial int Mtu(ushort port, ushort* mtu);

    [LibraryImport(Library, EntryPoint = "rte_eth_dev_start")]
    public static partial int Start(ushort port);

    [LibraryImport(Library, EntryPoint = "rte_eth_dev_stop")]
    public static partial int Stop(ushort port);

    [LibraryImport(Library, EntryPoint = "rte_eth_dev_close")]
    public static partial int Close(ushort port);

    [LibraryImport(Library, EntryPoint = "rte_eth_allmulticast_enable")]
    public static partial int AllMulticast(ushort port);

    [LibraryImport(Library, EntryPoint = "rte_eth_macaddr_get")]
    public static partial int Mac(ushort port, byte* address);

    [LibraryImport(Library, EntryPoint = "rte_eth_link_get_nowait")]
    public static partial int Link(ushort port, EthLink* link);

    [LibraryImport(Library, EntryPoint = "rte_eth_dev_set_link_up")]
    public static partial int SetLinkUp(ushort port);

    [LibraryImport(Library, EntryPoint = "rte_eth_dev_set_link_down")]
    public static partial int SetLinkDown(ushort port);

    [LibraryImport(Library, EntryPoint = "rte_eth_stats_get")]
    public static partial int Stats(ushort port, EthStats* stats);

    /// <summary>The burst functions of a port.</summary>
    public static EthOps* Ops(ushort port) => (EthOps*)NativeLibrary.GetExport(NativeLibrary.Load(Library), "rte_eth_fp_ops") + port;
}
