using System.Runtime.InteropServices;
using Skep.DataPlane.Ports.Dpdk.Native;

namespace Skep.DataPlane.Ports.Dpdk;

/// <summary>The steps from a device's name to one that runs. Whoever calls holds <see cref="DpdkEal.Control"/> and has begun a log.</summary>
internal static unsafe class DeviceSetup
{
    private const int NotSupported = -95;
    private const string VirtualBus = "vdev";
    private static readonly HashSet<string> s_open = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Finds a device that came up with EAL, or makes a virtual one.</summary>
    /// <returns>Its number.</returns>
    public static ushort Attach(string device, string name)
    {
        if (PciCard.IsAddress(name) && !DpdkEal.Has(name))
        {
            throw new IOException($"DPDK was not started with the network card {name}: name it among {nameof(DpdkOptions)}.{nameof(DpdkOptions.PciDevices)}");
        }
        if (s_open.Contains(name))
        {
            throw new IOException($"'{name}' is open already");
        }
        ushort port;
        if (Eth.PortByName(name, &port) < 0)
        {
            Check(Eal.Probe(device), $"'{device}' cannot be opened");
            Check(Eth.PortByName(name, &port), $"no driver of DPDK has taken '{name}' (its package, librte-net-…, may be missing)");
        }
        if (port >= Eth.MaxPorts)
        {
            throw new IOException($"'{name}' is device {port}: expected fewer than {Eth.MaxPorts}");
        }
        s_open.Add(name);
        return port;
    }

    /// <summary>Stops and closes a device; a virtual one is gone then.</summary>
    public static void Detach(ushort port, string name)
    {
        _ = Eth.Stop(port);
        _ = Eth.Close(port);
        if (!PciCard.IsAddress(name))
        {
            _ = Eal.Remove(VirtualBus, name);
        }
        s_open.Remove(name);
    }

    /// <summary>Gives a device its queues and starts it.</summary>
    /// <returns>Its driver's name.</returns>
    public static string Start(ushort port, string name, IReadOnlyList<MbufPool> pools, ushort descriptors)
    {
        var info = new EthDeviceInfo();
        Check(Eth.Info(port, &info), $"'{name}' does not say what it can do");
        int queues = pools.Count, most = Math.Min(info.MaxReceiveQueues, info.MaxSendQueues);
        if (queues > most)
        {
            throw new IOException($"'{name}' has {most} queues each way: {queues} were asked for");
        }
        var config = new EthConfig();
        if (queues > 1)
        {
            config.ReceiveMode = EthConfig.ByRss;
            config.RssTypes = info.RssTypes & EthConfig.IpTcpUdp;
            if (config.RssTypes == 0)
            {
                throw new IOException($"'{name}' cannot spread frames over {queues} queues by addresses and ports (RSS): open it with one");
            }
        }
        Check(Eth.Configure(port, (ushort)queues, (ushort)queues, &config), $"'{name}' does not take {queues} queues");
        ushort receive = descriptors, send = descriptors;
        Check(Eth.AdjustDescriptors(port, &receive, &send), $"'{name}' does not take {descriptors} descriptors a queue");
        // A device that is on no NUMA node says -1, which stands for any.
        uint socket = (uint)Eth.Socket(port);
        for (ushort queue = 0; queue < queues; queue++)
        {
            Check(Eth.SetUpReceive(port, queue, receive, socket, null, pools[queue].Native), $"receive queue {queue} of '{name}' cannot be set up");
            Check(Eth.SetUpSend(port, queue, send, socket, null), $"send queue {queue} of '{name}' cannot be set up");
        }
        Check(Eth.Start(port), $"'{name}' does not start");
        int multicast = Eth.AllMulticast(port);
        // Neighbours of IPv6 are asked for by multicast; a device that has no filter lets them through anyway.
        Check(multicast == NotSupported ? 0 : multicast, $"'{name}' does not take multicast");
        return Marshal.PtrToStringUTF8((nint)info.DriverName) ?? "";
    }

    /// <summary>Turns a result below zero into an error that says what was being done, and what DPDK says.</summary>
    public static void Check(int result, string otherwise)
    {
        if (result < 0)
        {
            throw new IOException($"{otherwise} ({Eal.Text(result)}): {EalLog.Read()}");
        }
    }
}
