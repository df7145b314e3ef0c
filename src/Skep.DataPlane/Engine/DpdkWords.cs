using System.Globalization;
using Skep.DataPlane.Buffers;
using Skep.DataPlane.Ports.Dpdk;

namespace Skep.DataPlane.Engine;

/// <summary>
/// What a user says of a dpdk port: <c>dpdk:0000:00:05.0</c> or <c>dpdk:net_tap0,iface=skep1,nohuge</c>. Words other than
/// <c>nohuge</c> and <c>descriptors=N</c> are its driver's own.
/// </summary>
internal static class DpdkWords
{
    private const string Driver = "dpdk", NoHuge = "nohuge", Descriptors = "descriptors";
    private const int UsualDescriptors = 1024;
    private const int DevicesMb = 64;

    // A buffer of 2,048 bytes with its headroom and header, and some to spare.
    private const int BufferKb = 3;

    /// <summary>Starts DPDK for the ports that want it, and makes each worker's pool, which is that of all its ports.</summary>
    /// <returns>Those of mbufs; others where no port wants them, or DPDK does not start and every port that does has a fallback.</returns>
    /// <exception cref="IOException">DPDK does not start; the message says why.</exception>
    public static IReadOnlyList<PacketPool> MakePools(IReadOnlyList<PortSpec> ports, int buffers, int workers)
    {
        List<PacketPool> pools = [];
        try
        {
            bool mbufs = TryStart(ports, buffers * workers);
            bool withinPages = ports.Any(AfXdpWords.WantsPages);
            while (pools.Count < workers)
            {
                pools.Add(mbufs ? new MbufPool(buffers) : new PacketPool(buffers, withinPages: withinPages));
            }
            return pools;
        }
        catch
        {
            pools.ForEach(static p => p.Dispose());
            throw;
        }
    }

    /// <summary>Opens one with a queue for each pool.</summary>
    /// <exception cref="IOException">It cannot be opened; the message says why.</exception>
    public static OpenWires Open(PortSpec spec, IReadOnlyList<PacketPool> pools)
    {
        MbufPool[] mbufs = [.. pools.OfType<MbufPool>()];
        if (mbufs.Length == 0)
        {
            throw new IOException($"port {spec.Driver}:{spec.Device}: {DpdkEal.Failure ?? "DPDK has no memory for its buffers"}");
        }
        var device = new DpdkDevice(DeviceOf(spec), mbufs, DescriptorsOf(spec));
        return OpenWires.Of(device.Name, device, mbufs.Length, queue => new DpdkPort(device, queue));
    }

    private static bool TryStart(IReadOnlyList<PortSpec> ports, int buffers)
    {
        PortSpec[] dpdk = [.. ports.Where(static p => p.Driver == Driver)];
        try
        {
            if (dpdk.Length > 0)
            {
                DpdkEal.Start(Read(dpdk, buffers));
                return true;
            }
        }
        catch (IOException) when (Array.TrueForAll(dpdk, static p => p.Fallback is not null))
        {
            // Each port says why when it is opened.
        }
        return false;
    }

    /// <summary>How DPDK is to start for some ports.</summary>
    internal static DpdkOptions Read(IReadOnlyList<PortSpec> ports, int buffers) => new()
    {
        HugePages = !ports.Any(static p => p.Options.ContainsKey(NoHuge)),
        MemoryMb = DevicesMb + buffers / 1024 * BufferKb,
        PciDevices = [.. ports.Select(static p => p.Device).Where(PciCard.IsAddress)],
    };

    /// <summary>A device as DPDK calls it, with the driver's own words.</summary>
    internal static string DeviceOf(PortSpec spec) => string.Join(',',
        [spec.Device, .. spec.Options.Where(static o => o.Key is not (NoHuge or Descriptors)).Select(static o => o.Value.Length == 0 ? o.Key : $"{o.Key}={o.Value}")]);

    private static int DescriptorsOf(PortSpec spec)
    {
        if (!spec.Options.TryGetValue(Descriptors, out string? value))
        {
            return UsualDescriptors;
        }
        return ushort.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out ushort number) && number > 0
            ? number
            : throw new IOException($"port {spec.Driver}:{spec.Device}: {Descriptors}={value} is no number from 1 to {ushort.MaxValue}");
    }
}
