namespace Skep.DataPlane.Devices;

/// <summary>
/// Gives PCI devices to drivers, by sysfs(5). All is looked at before anything is touched; where the kernel refuses all the same,
/// the former driver is bound again.
/// </summary>
/// <param name="tree">The devices.</param>
/// <param name="write">Writes a word to a file; the file system where null.</param>
public sealed class DeviceBinder(DeviceTree tree, Action<string, string>? write = null)
{
    private const string Vfio = "vfio-pci";
    private readonly Action<string, string> _write = write ?? File.WriteAllText;

    /// <summary>Finds a device.</summary>
    /// <param name="word">Its address, with or without the domain 0000, or the name of its interface.</param>
    /// <exception cref="DeviceRefusedException">There is none.</exception>
    public PciDevice Find(string word)
    {
        IReadOnlyList<PciDevice> devices = tree.List();
        return devices.FirstOrDefault(d => d.Address == word || d.Address == "0000:" + word || d.Interfaces.Contains(word))
            ?? throw new DeviceRefusedException($"no device '{word}': expected an address as {(devices.Count > 0 ? devices[0].Address : "0000:03:00.0")}, or an interface's name; swarmctl dataplane devices shows those there are");
    }

    /// <summary>Looks whether a device can be bound to a driver.</summary>
    /// <param name="device">The device.</param>
    /// <param name="driver">The driver's name.</param>
    /// <param name="force">Whether the machine may go off the network by it.</param>
    /// <exception cref="DeviceRefusedException">It cannot, or had better not.</exception>
    public void Check(PciDevice device, string driver, bool force = false)
    {
        CheckIdle(device, force);
        if (driver.Length == 0 || driver.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_' or '.')) || driver[0] == '.')
        {
            throw new DeviceRefusedException($"'{driver}' is no driver's name");
        }
        if (!tree.IsLoaded(driver))
        {
            var modules = new KernelModules(tree.Root);
            throw new DeviceRefusedException(modules.Has(driver)
                ? $"the driver {driver} is not loaded: modprobe {driver}"
                : $"the driver {driver} is not loaded, and kernel {modules.Release} has no module of that name for modprobe {driver}: install the modules of this kernel{(driver == Vfio ? ", or a kernel with CONFIG_VFIO_PCI" : "")}");
        }
        string unsafeMode = Path.Combine(tree.Root, "sys/module/vfio/parameters/enable_unsafe_noiommu_mode");
        if (driver == Vfio && device.IommuGroup is null && DeviceTree.Text(unsafeMode) is not ("Y" or "1"))
        {
            throw new DeviceRefusedException($"{device.Address} is behind no IOMMU: switch it on (firmware; kernel parameters intel_iommu=on or amd_iommu=on), or let the device reach all memory unguarded: echo 1 > /{Path.GetRelativePath(tree.Root, unsafeMode)}");
        }
    }

    /// <summary>Binds a device.</summary>
    /// <param name="device">The device, as <see cref="Find"/> gave it.</param>
    /// <param name="driver">The driver's name.</param>
    /// <param name="force">Whether the machine may go off the network by it.</param>
    /// <returns>The device as it is now.</returns>
    /// <exception cref="DeviceRefusedException">It is not bound; the message says why, and which driver has it now.</exception>
    public PciDevice Bind(PciDevice device, string driver, bool force = false)
    {
        if (device.Driver == driver)
        {
            return device;
        }
        Check(device, driver, force);
        return Change(device, driver, () => Write("drivers", driver, "bind", device.Address));
    }

    /// <summary>Undoes a binding: the device goes back to whichever driver of the kernel knows it.</summary>
    /// <param name="device">The device, as <see cref="Find"/> gave it.</param>
    /// <returns>The device as it is now; without a driver where the kernel has none for it.</returns>
    /// <exception cref="DeviceRefusedException">It is at none of the drivers that hand devices to programs, or the kernel refuses.</exception>
    public PciDevice Unbind(PciDevice device)
    {
        if (!device.IsAway && device.Driver is not null)
        {
            throw new DeviceRefusedException($"{device.Address} is at its kernel's driver {device.Driver} already");
        }
        return Change(device, null, () => _write(Path.Combine(tree.Bus, "drivers_probe"), device.Address));
    }

    private static void CheckIdle(PciDevice device, bool force)
    {
        if (!force && device.IsActive)
        {
            throw new DeviceRefusedException(
                $"{device.Address} is {string.Join(", ", device.Routed)}, which carries {(device.CarriesDefaultRoute ? "the default route: this machine may go off the network" : "a route")}; --force does it all the same");
        }
    }

    private PciDevice Change(PciDevice device, string? driver, Action bind)
    {
        string overriding = Path.Combine(tree.Bus, "devices", device.Address, "driver_override");
        string before = DeviceTree.Text(overriding);
        try
        {
            _write(overriding, driver is null ? "\n" : driver);
            if (device.Driver is not null)
            {
                Write("drivers", device.Driver, "unbind", device.Address);
            }
            bind();
            string? now = Driver(device);
            if (driver is not null && now != driver)
            {
                throw new IOException($"the kernel bound it to {now ?? "no driver"} instead");
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            string end = Restore(device, overriding, before);
            throw new DeviceRefusedException(e is UnauthorizedAccessException
                ? $"{device.Address} cannot be bound: it takes root ({end})"
                : $"{device.Address} cannot be bound to {driver ?? "its kernel's driver"}: {e.Message}; {end}", e);
        }
        return tree.List().FirstOrDefault(d => d.Address == device.Address) ?? device;
    }

    // Says how it ended, since this may fail too.
    private string Restore(PciDevice device, string overriding, string before)
    {
        try
        {
            _write(overriding, before is "" or "(null)" ? "\n" : before);
            string? now = Driver(device);
            if (now != device.Driver)
            {
                if (now is not null)
                {
                    Write("drivers", now, "unbind", device.Address);
                }
                if (device.Driver is not null)
                {
                    Write("drivers", device.Driver, "bind", device.Address);
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Where it ended is read below.
        }
        string? at = Driver(device);
        return at == device.Driver ? $"it is at {at ?? "no driver"} as before" : $"and {device.Driver ?? "no driver"} did not take it back: it is at {at ?? "no driver"}";
    }

    private string? Driver(PciDevice device) => DeviceTree.LinkName(Path.Combine(tree.Bus, "devices", device.Address), "driver");

    private void Write(string folder, string driver, string file, string word) => _write(Path.Combine(tree.Bus, folder, driver, file), word);
}
