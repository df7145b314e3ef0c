using System.Text.RegularExpressions;

namespace Skep.DataPlane.Ports.Dpdk;

/// <summary>A network card as the kernel shows it. To look first tells what EAL leaves unsaid: which driver holds the card, and what is missing.</summary>
internal static partial class PciCard
{
    private const string Driver = "vfio-pci";

    [GeneratedRegex("^[0-9a-fA-F]{4}:[0-9a-fA-F]{2}:[0-9a-fA-F]{2}\\.[0-7]$")]
    private static partial Regex Address();

    /// <summary>Whether a device's name is an address such as 0000:00:05.0.</summary>
    public static bool IsAddress(string device) => Address().IsMatch(device);

    /// <summary>Holds a card to what DPDK needs of it.</summary>
    /// <exception cref="IOException">Something is missing; the message says what, and how to get it.</exception>
    public static void Require(string address, string system = "/sys", string vfio = "/dev/vfio/vfio")
    {
        if (!IsAddress(address))
        {
            throw new IOException($"'{address}' is no address of a network card: expected one such as 0000:00:05.0 (lspci -D lists them)");
        }
        string card = $"{system}/bus/pci/devices/{address}";
        if (!Directory.Exists(card))
        {
            throw new IOException($"there is no network card {address} (lspci -D lists those there are)");
        }
        string? driver = Path.GetFileName(new DirectoryInfo($"{card}/driver").LinkTarget);
        // Mellanox cards stay with the kernel's driver: theirs works through it.
        if (driver is "mlx4_core" or "mlx5_core" or "igb_uio" or "uio_pci_generic")
        {
            return;
        }
        if (!Directory.Exists($"{system}/module/vfio_pci"))
        {
            throw new IOException($"network card {address} cannot be used: the kernel's module {Driver} is not loaded ('modprobe {Driver}' as root loads it)");
        }
        if (driver != Driver)
        {
            throw new IOException($"network card {address} is held by the driver '{driver ?? "none"}': 'swarmctl dataplane devices bind {Driver} {address}' as root hands it over; what the kernel has on it goes");
        }
        try
        {
            File.Open(vfio, FileMode.Open, FileAccess.ReadWrite).Dispose();
        }
        catch (UnauthorizedAccessException)
        {
            throw new IOException($"network card {address} cannot be used: {vfio} may not be opened (it takes root, or the rights to that file and to the card's group beside it)");
        }
    }
}
