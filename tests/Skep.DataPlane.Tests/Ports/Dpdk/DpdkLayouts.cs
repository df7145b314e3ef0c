using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using Skep.DataPlane.Buffers;
using Skep.DataPlane.Ports.Dpdk.Native;

namespace Skep.DataPlane.Tests.Ports.Dpdk;

/// <summary>Our structures beside those of DPDK's headers, as the C compiler lays them out.</summary>
public sealed class DpdkLayouts
{
    private static readonly (Type Type, string Native, (string Field, string NativeField)[] Fields)[] Structures =
    [
        (typeof(BufferHeader), "rte_mbuf",
            [("Room", "buf_addr"), ("Owner", "buf_iova"), ("Rearm", "rearm_data"), ("Offset", "data_off"), ("References", "refcnt"), ("Segments", "nb_segs"), ("Flags", "ol_flags"),
             ("WholeLength", "pkt_len"), ("Length", "data_len"), ("Number", "hash"), ("RoomBytes", "buf_len"), ("Pool", "pool")]),
        (typeof(Mempool), "rte_mempool",
            [("Size", "size"), ("CacheSize", "cache_size"), ("ElementBytes", "elt_size"), ("OpsIndex", "ops_index"), ("LocalCaches", "local_cache"), ("Populated", "populated_size")]),
        (typeof(MempoolCache), "rte_mempool_cache", [("Size", "size"), ("FlushThreshold", "flushthresh"), ("Length", "len")]),
        (typeof(MempoolOps), "rte_mempool_ops", [("Name", "name"), ("Enqueue", "enqueue"), ("Dequeue", "dequeue")]),
        (typeof(MempoolOpsTable), "rte_mempool_ops_table", [("Count", "num_ops")]),
        (typeof(EthOps), "rte_eth_fp_ops", [("ReceiveBurst", "rx_pkt_burst"), ("ReceiveQueues", "rxq.data"), ("SendBurst", "tx_pkt_burst"), ("SendQueues", "txq.data")]),
        (typeof(EthDeviceInfo), "rte_eth_dev_info",
            [("DriverName", "driver_name"), ("MaxReceiveQueues", "max_rx_queues"), ("MaxSendQueues", "max_tx_queues"), ("RssTypes", "flow_type_rss_offloads")]),
        (typeof(EthConfig), "rte_eth_conf", [("ReceiveMode", "rxmode.mq_mode"), ("RssTypes", "rx_adv_conf.rss_conf.rss_hf")]),
        (typeof(EthLink), "rte_eth_link", [("SpeedMbps", "link_speed")]),
        (typeof(EthStats), "rte_eth_stats",
            [("Received", "ipackets"), ("Sent", "opackets"), ("ReceivedBytes", "ibytes"), ("SentBytes", "obytes"), ("Missed", "imissed"), ("ReceiveErrors", "ierrors"),
             ("SendErrors", "oerrors"), ("NoBuffers", "rx_nombuf")]),
    ];

    private static readonly (string Native, ulong Ours)[] Numbers =
    [
        ("sizeof(struct rte_mbuf)", Mbuf.SizeBytes),
        ("offsetof(struct rte_mbuf, next)", Mbuf.NextOffset),
        ("offsetof(struct rte_mbuf, cacheline1)", BufferHeader.SizeBytes),
        ("RTE_PKTMBUF_HEADROOM", Mbuf.HeadroomBytes),
        ("RTE_MBUF_F_INDIRECT | RTE_MBUF_F_EXTERNAL", Mbuf.Attached),
        ("sizeof(struct rte_mempool_cache)", (ulong)Marshal.SizeOf<MempoolCache>()),
        ("offsetof(struct rte_mempool_cache, objs)", MempoolCache.ObjectsOffset),
        ("RTE_MEMPOOL_CACHE_MAX_SIZE", MempoolCache.MaxSize),
        ("sizeof(struct rte_mempool_ops)", 128),
        ("offsetof(struct rte_mempool_ops_table, ops)", MempoolOpsTable.FirstOffset),
        ("sizeof(struct rte_eth_fp_ops)", EthOps.SizeBytes),
        ("sizeof(struct rte_eth_dev_info)", (ulong)Marshal.SizeOf<EthDeviceInfo>()),
        ("sizeof(struct rte_eth_conf)", (ulong)Marshal.SizeOf<EthConfig>()),
        ("sizeof(struct rte_eth_link)", (ulong)Marshal.SizeOf<EthLink>()),
        ("sizeof(struct rte_eth_stats)", (ulong)Marshal.SizeOf<EthStats>()),
        ("RTE_ETH_MQ_RX_RSS", EthConfig.ByRss),
        ("RTE_ETH_RSS_IP | RTE_ETH_RSS_TCP | RTE_ETH_RSS_UDP", EthConfig.IpTcpUdp),
        ("RTE_MAX_ETHPORTS", Eth.MaxPorts),
        ("LCORE_ID_ANY", Eal.NoLcore),
        ("RTE_ETH_SPEED_NUM_UNKNOWN", EthLink.UnknownSpeed),
    ];

    [Fact]
    public void Every_field_is_where_the_c_compiler_puts_it()
    {
        Assert.SkipUnless(Directory.Exists("/usr/include/dpdk"), "DPDK's headers (package libdpdk-dev) are not installed");
        Assert.SkipUnless(Run("gcc", "--version") is not null, "gcc is not installed");
        var expected = new Dictionary<string, ulong>(Numbers.Select(static n => KeyValuePair.Create(n.Native, n.Ours)));
        foreach ((Type type, string native, var fields) in Structures)
        {
            var all = type.GetFields(BindingFlags.Instance | BindingFlags.Public).ToDictionary(static f => f.Name);
            Assert.Equal(all.Keys.Order(), type == typeof(EthLink) ? ["Bits", "SpeedMbps"] : fields.Select(static f => f.Field).Order());
            foreach ((string field, string nativeField) in fields)
            {
                expected[$"offsetof(struct {native}, {nativeField})"] = (ulong)all[field].GetCustomAttribute<FieldOffsetAttribute>()!.Value;
            }
        }
        string[] keys = [.. expected.Keys];
        string folder = Directory.CreateTempSubdirectory("skep-layout").FullName;
        try
        {
            File.WriteAllText($"{folder}/l.c", "#include <stdio.h>\n#include <stddef.h>\n#include <rte_config.h>\n#include <rte_mbuf.h>\n#include <rte_mempool.h>\n#include <rte_ethdev.h>\nint main(void) {\n"
                + string.Concat(keys.Select(static k => $"printf(\"%llu\\n\", (unsigned long long)({k}));\n")) + "return 0; }\n");
            Assert.NotNull(Run("gcc", "-march=corei7", "-I/usr/include/dpdk", "-I/usr/include/x86_64-linux-gnu/dpdk", "-o", $"{folder}/l", $"{folder}/l.c"));
            string[] numbers = Run($"{folder}/l")!.Split('\n', StringSplitOptions.RemoveEmptyEntries);
            Assert.Equal(expected, keys.Zip(numbers, static (k, n) => KeyValuePair.Create(k, ulong.Parse(n, CultureInfo.InvariantCulture))).ToDictionary());
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    // What a program printed; null where it is not there or fails.
    private static string? Run(string program, params string[] arguments)
    {
        try
        {
            using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
            string output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0 ? output : null;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }
}
