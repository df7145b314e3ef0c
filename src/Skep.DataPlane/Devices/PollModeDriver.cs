using System.Text;
using System.Text.Json;

namespace Skep.DataPlane.Devices;

/// <summary>
/// A driver of DPDK and the devices it supports, from the table that each driver's library carries for dpdk-pmdinfo.
/// </summary>
/// <param name="Name">Its name: <c>net_ixgbe</c>.</param>
/// <param name="Ids">Vendor, device and the card's two numbers, each; 0xFFFF stands for any.</param>
internal sealed record PollModeDriver(string Name, IReadOnlyList<(ushort Vendor, ushort Device, ushort SubsystemVendor, ushort SubsystemDevice)> Ids)
{
    private const ushort Any = 0xFFFF;
    private const int MaxTableBytes = 1 << 20;
    private const long MaxLibraryBytes = 256L << 20;
    private static readonly string[] Libraries = ["usr/lib", "usr/lib64", "usr/local/lib", "usr/local/lib64"];

    public bool Supports(PciId id) => Ids.Any(i =>
        (i.Vendor is Any || i.Vendor == id.Vendor) && (i.Device is Any || i.Device == id.Device)
        && (i.SubsystemVendor is Any || i.SubsystemVendor == id.SubsystemVendor) && (i.SubsystemDevice is Any || i.SubsystemDevice == id.SubsystemDevice));

    /// <summary>Reads the drivers of whatever DPDK is installed.</summary>
    public static IReadOnlyList<PollModeDriver> ReadAll(string root)
    {
        List<PollModeDriver> drivers = [];
        foreach (string folder in Libraries.Select(l => Path.Combine(root, l)).Where(Directory.Exists).SelectMany(Folders))
        {
            // The other names of a library are links.
            foreach (FileInfo file in new DirectoryInfo(folder).EnumerateFiles("*.so*").Where(f => f.LinkTarget is null && f.Length <= MaxLibraryBytes))
            {
                drivers.AddRange(Read(File.ReadAllBytes(file.FullName)));
            }
        }
        return drivers;
    }

    /// <summary>Finds the tables in a library's bytes.</summary>
    public static IEnumerable<PollModeDriver> Read(byte[] library)
    {
        List<PollModeDriver> found = [];
        ReadOnlySpan<byte> rest = library;
        for (int at; (at = rest.IndexOf("PMD_INFO_STRING= "u8)) >= 0;)
        {
            rest = rest[(at + "PMD_INFO_STRING= "u8.Length)..];
            int length = rest[..Math.Min(rest.Length, MaxTableBytes)].IndexOf((byte)0);
            if (length > 0 && TryParse(rest[..length]) is { Ids.Count: > 0 } driver)
            {
                found.Add(driver);
            }
        }
        return found;
    }

    private static PollModeDriver? TryParse(ReadOnlySpan<byte> json)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(Encoding.UTF8.GetString(json));
            return document.RootElement.TryGetProperty("name", out JsonElement name) && document.RootElement.TryGetProperty("pci_ids", out JsonElement ids)
                ? new PollModeDriver(name.GetString() ?? "", [.. ids.EnumerateArray().Where(i => i.GetArrayLength() == 4)
                    .Select(i => (i[0].GetUInt16(), i[1].GetUInt16(), i[2].GetUInt16(), i[3].GetUInt16()))])
                : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            // A library that is not what it seems supports nothing.
            return null;
        }
    }

    private static IEnumerable<string> Folders(string library) =>
        new[] { library }.Concat(Directory.GetDirectories(library, "*-linux-*"))
            .Select(l => Path.Combine(l, "dpdk")).Where(Directory.Exists).SelectMany(d => Directory.GetDirectories(d, "pmds-*"));
}
