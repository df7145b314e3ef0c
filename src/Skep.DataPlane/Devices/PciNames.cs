using System.Globalization;

namespace Skep.DataPlane.Devices;

/// <summary>What vendors and their devices are called (pci.ids of Debian's package pci.ids, Fedora's hwdata).</summary>
internal sealed class PciNames
{
    private static readonly string[] Files = ["usr/share/misc/pci.ids", "usr/share/hwdata/pci.ids"];
    private readonly Dictionary<ushort, string> _vendors = [];
    private readonly Dictionary<(ushort Vendor, ushort Device), string> _models = [];

    /// <summary>Reads those that are asked for; none where the list is not installed.</summary>
    public static PciNames Read(string root, IEnumerable<PciId> ids)
    {
        var names = new PciNames();
        HashSet<(ushort, ushort)> models = [.. ids.Select(i => (i.Vendor, i.Device))];
        HashSet<ushort> vendors = [.. models.Select(m => m.Item1)];
        if (Files.Select(f => Path.Combine(root, f)).FirstOrDefault(File.Exists) is not { } path)
        {
            return names;
        }
        ushort vendor = 0;
        foreach (string line in File.ReadLines(path))
        {
            // After the vendors come the classes, each line with a letter before it.
            if (line.StartsWith("C ", StringComparison.Ordinal))
            {
                break;
            }
            if (line.StartsWith("\t\t", StringComparison.Ordinal))
            {
                continue;
            }
            bool isDevice = line.StartsWith('\t');
            ReadOnlySpan<char> text = line.AsSpan(isDevice ? 1 : 0);
            if (text.Length < 7 || !ushort.TryParse(text[..4], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ushort number))
            {
                continue;
            }
            if (!isDevice)
            {
                vendor = number;
                if (vendors.Contains(vendor))
                {
                    names._vendors[vendor] = text[6..].Trim().ToString();
                }
            }
            else if (models.Contains((vendor, number)))
            {
                names._models[(vendor, number)] = text[6..].Trim().ToString();
            }
        }
        return names;
    }

    public string Vendor(PciId id) => _vendors.GetValueOrDefault(id.Vendor, $"{id.Vendor:x4}");

    public string Model(PciId id) => _models.GetValueOrDefault((id.Vendor, id.Device), $"{id.Device:x4}");
}
