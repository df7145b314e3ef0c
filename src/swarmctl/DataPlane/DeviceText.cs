using System.Globalization;
using System.Text;
using System.Text.Json;
using Skep.DataPlane.Devices;
using Swarmctl.Output;

namespace Swarmctl.DataPlane;

/// <summary>Devices as a table, or as one JSON array.</summary>
internal static class DeviceText
{
    public static void Write(TextWriter output, IReadOnlyList<PciDevice> devices, bool json)
    {
        if (json)
        {
            output.WriteLine(Json(devices));
            return;
        }
        if (devices.Count == 0)
        {
            output.WriteLine("No network hardware on the PCI bus; the ports afpacket, afxdp and tap need none.");
            return;
        }
        TabText table = TabText.ForList().Header("Address", "Device", "Driver", "Could have it", "Interface", "Active", "DPDK");
        foreach (PciDevice d in devices)
        {
            table.Line(string.Join('\t', d.Address, $"{d.Vendor} {d.Model} [{d.Id.Vendor:x4}:{d.Id.Device:x4}]", d.Driver ?? "-", Joined(d.PossibleDrivers), Joined(d.Interfaces),
                d.CarriesDefaultRoute ? "default route" : d.IsActive ? "route" : "-", Joined(d.PollModeDrivers)));
        }
        output.Write(table);
    }

    private static string Joined(IReadOnlyList<string> words) => words.Count > 0 ? string.Join(',', words) : "-";

    private static string Json(IReadOnlyList<PciDevice> devices)
    {
        using var bytes = new MemoryStream();
        using (var writer = new Utf8JsonWriter(bytes))
        {
            writer.WriteStartArray();
            foreach (PciDevice device in devices)
            {
                Write(writer, device);
            }
            writer.WriteEndArray();
        }
        return Encoding.UTF8.GetString(bytes.ToArray());
    }

    private static void Write(Utf8JsonWriter writer, PciDevice device)
    {
        writer.WriteStartObject();
        writer.WriteString("address", device.Address);
        writer.WriteString("vendor", device.Vendor);
        writer.WriteString("model", device.Model);
        writer.WriteString("id", string.Create(CultureInfo.InvariantCulture, $"{device.Id.Vendor:x4}:{device.Id.Device:x4}"));
        writer.WriteString("driver", device.Driver);
        List(writer, "possible_drivers", device.PossibleDrivers);
        List(writer, "interfaces", device.Interfaces);
        List(writer, "routed", device.Routed);
        writer.WriteBoolean("default_route", device.CarriesDefaultRoute);
        List(writer, "dpdk_drivers", device.PollModeDrivers);
        writer.WriteString("iommu_group", device.IommuGroup);
        if (device.NumaNode is { } node)
        {
            writer.WriteNumber("numa_node", node);
        }
        writer.WriteEndObject();
    }

    private static void List(Utf8JsonWriter writer, string name, IReadOnlyList<string> words)
    {
        writer.WriteStartArray(name);
        foreach (string word in words)
        {
            writer.WriteStringValue(word);
        }
        writer.WriteEndArray();
    }
}
