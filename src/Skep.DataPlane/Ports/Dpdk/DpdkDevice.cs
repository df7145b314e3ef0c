using Skep.DataPlane.Packets;
using Skep.DataPlane.Ports.Dpdk.Native;

namespace Skep.DataPlane.Ports.Dpdk;

/// <summary>
/// A device of DPDK, open and started: a network card or a virtual device. A <see cref="DpdkPort"/> is made for each queue, each for a
/// worker of its own; the device spreads frames over them by addresses and ports (RSS), so that a connection stays with one.
/// </summary>
public sealed unsafe class DpdkDevice : IDisposable
{
    /// <summary>Opens a device. <see cref="DpdkEal.Start"/> comes first.</summary>
    /// <param name="device">
    /// A network card's address, one of <see cref="DpdkOptions.PciDevices"/>, or a virtual device with its arguments:
    /// <c>net_null0</c>, <c>net_ring0</c>, <c>net_tap0,iface=x</c>, <c>net_af_packet0,iface=veth0</c>. Those that stand for devices of
    /// the kernel look for them in the calling thread's network namespace.
    /// </param>
    /// <param name="pools">The buffers of each queue; as many queues as there are pools.</param>
    /// <param name="descriptors">Frames that wait at most in a queue, each way; the device may choose a number near it.</param>
    /// <exception cref="InvalidOperationException">DPDK has not started.</exception>
    /// <exception cref="IOException">It cannot be opened; the message says what failed and what DPDK says of it.</exception>
    public DpdkDevice(string device, IReadOnlyList<MbufPool> pools, int descriptors = 1024)
    {
        ArgumentOutOfRangeException.ThrowIfZero(pools.Count, nameof(pools));
        ArgumentOutOfRangeException.ThrowIfLessThan(descriptors, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(descriptors, ushort.MaxValue);
        DpdkEal.RequireStarted();
        (Name, Pools) = (device.Split(',')[0], [.. pools]);
        lock (DpdkEal.Control)
        {
            EalLog.Begin();
            Port = DeviceSetup.Attach(device, Name);
            IsOpen = true;
            Use(begins: true);
            try
            {
                Driver = DeviceSetup.Start(Port, Name, pools, (ushort)descriptors);
                byte* mac = stackalloc byte[MacAddress.SizeBytes];
                DeviceSetup.Check(Eth.Mac(Port, mac), $"the address of '{Name}' cannot be read");
                Mac = MacAddress.Read(new ReadOnlySpan<byte>(mac, MacAddress.SizeBytes));
                ushort mtu;
                DeviceSetup.Check(Eth.Mtu(Port, &mtu), $"the MTU of '{Name}' cannot be read");
                MtuBytes = mtu;
            }
            catch
            {
                Dispose();
                throw;
            }
        }
    }

    /// <summary>Its name: the address, or what stands before the first comma.</summary>
    public string Name { get; }

    /// <summary>Its driver, such as <c>net_null</c>.</summary>
    public string Driver { get; } = "";

    /// <summary>Its Ethernet address.</summary>
    public MacAddress Mac { get; }

    /// <summary>The longest IP packet that it sends, in bytes.</summary>
    public int MtuBytes { get; }

    /// <summary>The buffers of each queue.</summary>
    internal IReadOnlyList<MbufPool> Pools { get; }

    /// <summary>DPDK's number for it.</summary>
    internal ushort Port { get; }

    /// <summary>Whether it has not been closed.</summary>
    internal bool IsOpen { get; private set; }

    /// <summary>Its link, as it is now.</summary>
    /// <exception cref="IOException">The device does not say.</exception>
    public DpdkLink Link
    {
        get
        {
            var link = new EthLink();
            lock (DpdkEal.Control)
            {
                EalLog.Begin();
                DeviceSetup.Check(Eth.Link(Port, &link), $"the link of '{Name}' cannot be read");
            }
            return new DpdkLink((link.Bits & EthLink.Up) != 0, link.SpeedMbps is 0 or EthLink.UnknownSpeed ? null : link.SpeedMbps, (link.Bits & EthLink.FullDuplex) != 0);
        }
    }

    /// <summary>What it has counted since it was opened.</summary>
    /// <exception cref="IOException">The device does not say.</exception>
    public DpdkStatistics Statistics
    {
        get
        {
            var s = new EthStats();
            lock (DpdkEal.Control)
            {
                EalLog.Begin();
                DeviceSetup.Check(Eth.Stats(Port, &s), $"the statistics of '{Name}' cannot be read");
            }
            return new DpdkStatistics((long)s.Received, (long)s.Sent, (long)s.ReceivedBytes, (long)s.SentBytes, (long)s.Missed, (long)s.ReceiveErrors, (long)s.SendErrors, (long)s.NoBuffers);
        }
    }

    /// <summary>Takes the link down or up again.</summary>
    /// <exception cref="IOException">The device cannot.</exception>
    public void SetLink(bool up)
    {
        lock (DpdkEal.Control)
        {
            EalLog.Begin();
            DeviceSetup.Check(up ? Eth.SetLinkUp(Port) : Eth.SetLinkDown(Port), $"the link of '{Name}' cannot be taken {(up ? "up" : "down")}");
        }
    }

    /// <summary>Stops and closes the device. Its ports come first.</summary>
    public void Dispose()
    {
        if (!IsOpen)
        {
            return;
        }
        IsOpen = false;
        lock (DpdkEal.Control)
        {
            DeviceSetup.Detach(Port, Name);
        }
        Use(begins: false);
    }

    private void Use(bool begins)
    {
        foreach (MbufPool pool in Pools)
        {
            pool.Use(begins);
        }
    }
}
