using Skep.DataPlane.Balancing.Configuration;
using Skep.DataPlane.Packets;

namespace Skep.DataPlane.Engine;

/// <summary>A port as its user names it: <c>afpacket:eth1,address=192.0.2.1/24,gateway=192.0.2.254,tap=skep0</c>.</summary>
/// <param name="Driver">What moves its frames.</param>
/// <param name="Device">The driver's name for it.</param>
/// <param name="Interface">Its place in the network.</param>
/// <param name="Tap">Name of the device by which the kernel gets what is not the balancer's; null for none.</param>
/// <param name="Fallback">Device to open by <c>afpacket</c> when the driver does not start; null to give up then.</param>
/// <param name="Options">The driver's own words.</param>
public sealed record PortSpec(string Driver, string Device, InterfaceConfig Interface, string? Tap, string? Fallback, IReadOnlyDictionary<string, string> Options)
{
    private static readonly string[] Drivers = ["afpacket", "afxdp", "dpdk"];

    // The longest name that the kernel gives a device.
    private const int MaxDeviceBytes = 15;

    /// <summary>Reads one.</summary>
    /// <exception cref="FormatException">It is none; the message names what is wrong and what was expected.</exception>
    public static PortSpec Parse(string text)
    {
        string[] parts = text.Split(',', StringSplitOptions.TrimEntries);
        int colon = parts[0].IndexOf(':', StringComparison.Ordinal);
        string driver = colon > 0 ? parts[0][..colon] : "";
        string device = parts[0][(colon + 1)..];
        if (!Drivers.Contains(driver) || device.Length == 0)
        {
            throw new FormatException($"port '{text}': expected a driver ({string.Join(", ", Drivers)}), a colon and a device, as in afpacket:eth1,address=192.0.2.1/24");
        }
        List<LinkAddress> addresses = [];
        IpAddr? gateway4 = null, gateway6 = null;
        string? tap = null, fallback = null;
        var options = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string part in parts.Skip(1))
        {
            int equals = part.IndexOf('=', StringComparison.Ordinal);
            (string name, string value) = equals > 0 ? (part[..equals], part[(equals + 1)..]) : (part, "");
            switch (name)
            {
                case "address":
                    addresses.Add(LinkAddress.Parse(value));
                    break;
                case "gateway":
                    IpAddr gateway = IpAddr.Parse(value);
                    gateway4 = gateway.IsV4 ? gateway : gateway4;
                    gateway6 = gateway.IsV4 ? gateway6 : gateway;
                    break;
                case "tap":
                    tap = DeviceName(text, "tap", value);
                    break;
                case "fallback":
                    fallback = DeviceName(text, "fallback", value);
                    break;
                case "":
                    throw new FormatException($"port '{text}': there is nothing between two commas");
                default:
                    options[name] = value;
                    break;
            }
        }
        return new PortSpec(driver, device, new InterfaceConfig(addresses) { GatewayV4 = gateway4, GatewayV6 = gateway6 }, tap, fallback, options);
    }

    private static string DeviceName(string text, string word, string value) => value.Length is > 0 and <= MaxDeviceBytes && !value.Any(static c => c is '/' or ' ')
        ? value
        : throw new FormatException($"port '{text}': {word}={value} is no name of a device: expected 1 to {MaxDeviceBytes} characters without / and blanks");
}
