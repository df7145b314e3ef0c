using Skep.DataPlane.Devices;

namespace Skep.DataPlane.Tests.Devices;

/// <summary>
/// A folder that looks as sysfs and proc do, and a kernel of its own behind it: what is written to <c>bind</c>, <c>unbind</c>,
/// <c>drivers_probe</c> and <c>driver_override</c> has its effect and is written down.
/// </summary>
internal sealed class FakeMachine : IDisposable
{
    private readonly Dictionary<string, (string Driver, string? Interface)> _homes = [];

    public FakeMachine()
    {
        Root = Directory.CreateTempSubdirectory("skep-devices-").FullName;
        Directory.CreateDirectory(At("sys/bus/pci/devices"));
        Put("proc/sys/kernel/osrelease", "6.12.0\n");
        Tree = new DeviceTree(Root);
        Binder = new DeviceBinder(Tree, Write);
    }

    public string Root { get; }

    public DeviceTree Tree { get; }

    public DeviceBinder Binder { get; }

    /// <summary>What was written, as "folder/file word".</summary>
    public List<string> Written { get; } = [];

    /// <summary>The driver whose <c>bind</c> the kernel refuses.</summary>
    public string? Refuses { get; set; }

    /// <summary>Whether nothing may be written.</summary>
    public bool IsReadOnly { get; set; }

    public string At(string path) => Path.Combine(Root, path);

    public void Put(string path, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(At(path))!);
        File.WriteAllText(At(path), text);
    }

    public FakeMachine With(string address, string id = "8086:1572", string classNumber = "0x020000", string? driver = "i40e", string? net = null, bool iommu = true)
    {
        string folder = $"sys/bus/pci/devices/{address}", vendor = id[..4], device = id[5..];
        Put($"{folder}/vendor", $"0x{vendor}\n");
        Put($"{folder}/device", $"0x{device}\n");
        Put($"{folder}/subsystem_vendor", "0x8086\n");
        Put($"{folder}/subsystem_device", "0x0001\n");
        Put($"{folder}/class", classNumber + "\n");
        Put($"{folder}/numa_node", "1\n");
        Put($"{folder}/driver_override", "(null)\n");
        Put($"{folder}/modalias", $"pci:v0000{vendor.ToUpperInvariant()}d0000{device.ToUpperInvariant()}sv00008086sd00000001bc02sc00i00\n");
        if (iommu)
        {
            File.CreateSymbolicLink(At($"{folder}/iommu_group"), "../../../../kernel/iommu_groups/12");
        }
        if (driver is not null)
        {
            _homes[address] = (driver, net);
            Loaded(driver);
            Attach(address, driver);
        }
        return this;
    }

    public FakeMachine Loaded(string driver)
    {
        Directory.CreateDirectory(At($"sys/bus/pci/drivers/{driver}"));
        return this;
    }

    public FakeMachine WithRoutes(params string[] lines)
    {
        Put("proc/net/route", "Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT\n" + string.Concat(lines.Select(l => l + "\n")));
        return this;
    }

    public PciDevice this[string address] => Tree.List().Single(d => d.Address == address);

    private void Write(string path, string word)
    {
        if (IsReadOnly)
        {
            throw new UnauthorizedAccessException($"Access to the path '{path}' is denied.");
        }
        string[] parts = Path.GetRelativePath(At("sys/bus"), path).Split('/');
        Written.Add($"{string.Join('/', parts[^2..])} {word.Trim()}");
        switch (parts[^1])
        {
            case "unbind":
                Detach(word, parts[^2]);
                break;
            case "bind" when parts[^2] == Refuses:
                throw new IOException("No such device");
            case "bind":
                Attach(word, parts[^2]);
                break;
            case "drivers_probe":
                string chosen = File.ReadAllText(At($"sys/bus/pci/devices/{word}/driver_override")).Trim();
                Attach(word, chosen.Length > 0 && chosen != "(null)" ? chosen : _homes[word].Driver);
                break;
            default:
                File.WriteAllText(path, word.Trim().Length == 0 ? "(null)\n" : word);
                break;
        }
    }

    private void Attach(string address, string driver)
    {
        string folder = $"sys/bus/pci/devices/{address}";
        File.CreateSymbolicLink(At($"{folder}/driver"), $"../../../../bus/pci/drivers/{driver}");
        if (_homes.TryGetValue(address, out var home) && home.Driver == driver && home.Interface is { } net)
        {
            Directory.CreateDirectory(At($"{folder}/net/{net}"));
        }
    }

    private void Detach(string address, string driver)
    {
        string folder = At($"sys/bus/pci/devices/{address}");
        Assert.Equal(driver, DeviceTree.LinkName(folder, "driver"));
        File.Delete(Path.Combine(folder, "driver"));
        if (Directory.Exists(Path.Combine(folder, "net")))
        {
            Directory.Delete(Path.Combine(folder, "net"), recursive: true);
        }
    }

    public void Dispose() => Directory.Delete(Root, recursive: true);
}
