namespace Skep.DataPlane.Devices;

/// <summary>A PCI device that frames can go through, as it stands now.</summary>
/// <param name="Address">Domain, bus, device and function: <c>0000:03:00.0</c>.</param>
/// <param name="Id">What it is.</param>
/// <param name="Vendor">Who made it; its number where that is in no list.</param>
/// <param name="Model">Which it is; its number where that is in no list.</param>
/// <param name="Driver">The driver it is bound to; null where none.</param>
/// <param name="PossibleDrivers">Other drivers of this machine that could have it, loaded or not.</param>
/// <param name="Interfaces">Its network devices, which it has at a kernel's driver only.</param>
/// <param name="Routed">Those of them that carry a route.</param>
/// <param name="CarriesDefaultRoute">Whether one of them carries the default route.</param>
/// <param name="PollModeDrivers">The installed DPDK drivers that support it.</param>
/// <param name="IommuGroup">Its IOMMU group; null where there is no IOMMU, or it is off.</param>
/// <param name="NumaNode">The memory that it is next to; null where there is one only.</param>
public sealed record PciDevice(
    string Address, PciId Id, string Vendor, string Model, string? Driver, IReadOnlyList<string> PossibleDrivers, IReadOnlyList<string> Interfaces,
    IReadOnlyList<string> Routed, bool CarriesDefaultRoute, IReadOnlyList<string> PollModeDrivers, string? IommuGroup, int? NumaNode)
{
    /// <summary>Whether the machine talks through it.</summary>
    public bool IsActive => Routed.Count > 0;

    /// <summary>Whether it is in the hands of a driver that hands devices to programs, so that the kernel has no interface for it.</summary>
    public bool IsAway => UserDrivers.Contains(Driver);

    /// <summary>The drivers that hand devices to programs.</summary>
    internal static readonly string[] UserDrivers = ["vfio-pci", "uio_pci_generic", "igb_uio"];
}

/// <summary>The numbers by which drivers know a device.</summary>
/// <param name="Vendor">Vendor.</param>
/// <param name="Device">Device.</param>
/// <param name="SubsystemVendor">The card's vendor.</param>
/// <param name="SubsystemDevice">The card.</param>
/// <param name="Class">Class, subclass and interface: 0x020000 is Ethernet.</param>
public readonly record struct PciId(ushort Vendor, ushort Device, ushort SubsystemVendor, ushort SubsystemDevice, int Class)
{
    private const int Network = 0x02;

    /// <summary>Whether it is a network controller.</summary>
    public bool IsNetwork => Class >> 16 == Network;
}
