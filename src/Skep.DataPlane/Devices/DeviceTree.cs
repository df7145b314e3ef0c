using System.Globalization;

namespace Skep.DataPlane.Devices;

/// <summary>The machine's PCI devices, as sysfs(5) has them.</summary>
/// <param name="root">What stands for <c>/</c>.</param>
public sealed class DeviceTree(string root = "/")
{
    private const int MaxInterfaceDepth = 2;

    internal string Root { get; } = root;

    internal string Bus => Path.Combine(Root, "sys/bus/pci");

    /// <summary>Network controllers, and whatever else an installed DPDK driver supports or holds, by address.</summary>
    public IReadOnlyList<PciDevice> List()
    {
        string folder = Path.Combine(Bus, "devices");
        if (!Directory.Exists(folder))
        {
            return [];
        }
        string[] paths = [.. Directory.GetDirectories(folder).Order(StringComparer.Ordinal)];
        var ids = paths.ToDictionary(p => p, Id);
        var names = PciNames.Read(Root, ids.Values);
        var modules = new KernelModules(Root);
        var drivers = PollModeDriver.ReadAll(Root);
        var routes = RoutedInterfaces.Read(Root);
        List<PciDevice> devices = [];
        foreach (string path in paths)
        {
            PciId id = ids[path];
            string? driver = LinkName(path, "driver");
            string[] pollMode = [.. drivers.Where(d => d.Supports(id)).Select(d => d.Name).Distinct().Order(StringComparer.Ordinal)];
            if (!id.IsNetwork && pollMode.Length == 0 && !PciDevice.UserDrivers.Contains(driver))
            {
                continue;
            }
            string[] interfaces = [.. Interfaces(path, 0).Order(StringComparer.Ordinal)];
            string[] possible = [.. modules.For(Text(path, "modalias")).Concat(PciDevice.UserDrivers.Where(d => IsLoaded(d) || modules.Has(d)))
                .Distinct().Where(d => d != driver && !IsSame(d, driver)).Order(StringComparer.Ordinal)];
            devices.Add(new PciDevice(
                Path.GetFileName(path), id, names.Vendor(id), names.Model(id), driver, possible, interfaces, [.. interfaces.Where(i => routes.Carries(Root, i))],
                interfaces.Any(i => routes.CarriesDefault(Root, i)), pollMode, LinkName(path, "iommu_group"), Node(path)));
        }
        return devices;
    }

    /// <summary>
    /// What else is in a device's IOMMU group and at a kernel's driver, as "0000:03:00.1 (i40e)": vfio hands a group out whole or not
    /// at all. Bridges do not count.
    /// </summary>
    public IReadOnlyList<string> OthersInGroup(PciDevice device)
    {
        string folder = Path.Combine(Root, "sys/kernel/iommu_groups", device.IommuGroup ?? "-", "devices");
        return !Directory.Exists(folder) ? [] :
        [
            .. Directory.GetFileSystemEntries(folder).Select(f => Path.GetFileName(f)).Where(a => a != device.Address).Order(StringComparer.Ordinal)
                .Select(a => (Address: a, Driver: LinkName(Path.Combine(Bus, "devices", a), "driver")))
                .Where(o => o.Driver is not (null or "pcieport") && !PciDevice.UserDrivers.Contains(o.Driver)).Select(o => $"{o.Address} ({o.Driver})"),
        ];
    }

    /// <summary>Whether the kernel has a driver now.</summary>
    internal bool IsLoaded(string driver) => Directory.Exists(Path.Combine(Bus, "drivers", driver));

    /// <summary>The last part of where a link in a folder leads; null where there is none.</summary>
    internal static string? LinkName(string folder, string link) =>
        new FileInfo(Path.Combine(folder, link)).LinkTarget is { } target ? Path.GetFileName(target.TrimEnd('/')) : null;

    /// <summary>What a file says; empty where it is not there.</summary>
    internal static string Text(params string[] path)
    {
        string file = Path.Combine(path);
        return File.Exists(file) ? File.ReadAllText(file).Trim() : "";
    }

    // A module's file may be called otherwise than its driver: virtio_pci has the driver virtio-pci.
    private static bool IsSame(string module, string? driver) => module.Replace('-', '_') == driver?.Replace('-', '_');

    private static PciId Id(string path)
    {
        int Number(string name) => int.TryParse(Text(path, name).Replace("0x", "", StringComparison.Ordinal), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out int n) ? n : 0;
        return new PciId((ushort)Number("vendor"), (ushort)Number("device"), (ushort)Number("subsystem_vendor"), (ushort)Number("subsystem_device"), Number("class"));
    }

    private static int? Node(string path) => int.TryParse(Text(path, "numa_node"), CultureInfo.InvariantCulture, out int node) && node >= 0 ? node : null;

    // A virtio device has another device between it and its interface.
    private static IEnumerable<string> Interfaces(string path, int depth)
    {
        string net = Path.Combine(path, "net");
        IEnumerable<string> here = Directory.Exists(net) ? Directory.GetDirectories(net).Select(d => Path.GetFileName(d)) : [];
        return depth == MaxInterfaceDepth ? here : here.Concat(
            Directory.GetDirectories(path, "virtio*").Where(d => new DirectoryInfo(d).LinkTarget is null).SelectMany(d => Interfaces(d, depth + 1)));
    }
}
