using System.Runtime.InteropServices;

namespace Skep.DataPlane.Ports.Dpdk.Native;

/// <summary>The part of <c>struct rte_eth_dev_info</c> that is used here (rte_ethdev.h).</summary>
[StructLayout(LayoutKind.Explicit, Size = 376)]
internal unsafe struct EthDeviceInfo
{
    [FieldOffset(8)] public byte* DriverName;
    [FieldOffset(44)] public ushort MaxReceiveQueues;
    [FieldOffset(46)] public ushort MaxSendQueues;
    [FieldOffset(112)] public ulong RssTypes;
}

/// <summary>The part of <c>struct rte_eth_conf</c> that is used here.</summary>
[StructLayout(LayoutKind.Explicit, Size = 2272)]
internal struct EthConfig
{
    /// <summary>RTE_ETH_MQ_RX_RSS: frames are spread over the queues by the hash of their addresses and ports.</summary>
    public const int ByRss = 1;

    /// <summary>RTE_ETH_RSS_IP, _TCP and _UDP.</summary>
    public const ulong IpTcpUdp = 0x3afbc;
    [FieldOffset(8)] public int ReceiveMode;
    [FieldOffset(144)] public ulong RssTypes;
}

/// <summary><c>struct rte_eth_link</c>.</summary>
[StructLayout(LayoutKind.Explicit, Size = 8)]
internal struct EthLink
{
    public const uint UnknownSpeed = uint.MaxValue;
    public const ushort FullDuplex = 1, Up = 4;
    [FieldOffset(0)] public uint SpeedMbps;
    [FieldOffset(4)] public ushort Bits;
}

/// <summary><c>struct rte_eth_stats</c>: the device's totals come first, those of the queues follow.</summary>
[StructLayout(LayoutKind.Explicit, Size = 704)]
internal struct EthStats
{
    [FieldOffset(0)] public ulong Received;
    [FieldOffset(8)] public ulong Sent;
    [FieldOffset(16)] public ulong ReceivedBytes;
    [FieldOffset(24)] public ulong SentBytes;
    [FieldOffset(32)] public ulong Missed;
    [FieldOffset(40)] public ulong ReceiveErrors;
    [FieldOffset(48)] public ulong SendErrors;
    [FieldOffset(56)] public ulong NoBuffers;
}
