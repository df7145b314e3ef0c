using System.Net;
using Docker.Swarmkit.V1;
using Skep.Manager.Control.Rules;

namespace Skep.Manager.Control;

/// <summary>What a network spec must keep to (facts: moby/swarmkit manager/controlapi/network.go).</summary>
internal static class NetworkRules
{
    /// <summary>Label of networks that are there from the beginning.</summary>
    public const string PredefinedLabel = "com.docker.swarm.predefined";

    private const string Overlay = "overlay";

    // What engines bring with them; others are plugins, which nobody here can ask for.
    private static readonly HashSet<string> Drivers = [Overlay, "bridge", "host", "ipvlan", "macvlan", "null"];

    /// <summary>Checks a whole spec.</summary>
    public static void Check(NetworkSpec? spec)
    {
        if (spec is null)
        {
            throw Refusal.Invalid();
        }
        if (spec.Attachable && spec.Ingress)
        {
            throw Refusal.Invalid("ingress network cannot be attachable");
        }
        Names.CheckDnsName(spec.Annotations);
        if (spec.Annotations.Labels.ContainsKey(PredefinedLabel))
        {
            throw Refusal.Denied($"label {PredefinedLabel} is for internally created predefined networks and cannot be applied by users");
        }
        CheckDriver(spec.DriverConfig, Drivers);
        if (spec.Ingress && spec.DriverConfig is { Name: not Overlay })
        {
            throw Refusal.Unimplemented("only overlay driver is currently supported for ingress network");
        }
        if (spec.Ipam is { } ipam)
        {
            if (ipam.Driver is { Name.Length: > 0 })
            {
                CheckDriver(ipam.Driver, ["default"]);
            }
            foreach (IPAMConfig config in ipam.Configs)
            {
                CheckAddresses(config);
            }
        }
    }

    private static void CheckDriver(Driver? driver, HashSet<string> known)
    {
        if (driver is null)
        {
            return;
        }
        if (driver.Name.Length == 0)
        {
            throw Refusal.Invalid("driver name: if driver is specified name is required");
        }
        if (!known.Contains(driver.Name))
        {
            throw Refusal.Invalid($"error during lookup of plugin {driver.Name}");
        }
    }

    private static void CheckAddresses(IPAMConfig config)
    {
        if (!TryParseNetwork(config.Subnet, out IPNetwork subnet, out _))
        {
            throw Refusal.Invalid($"ipam configuration: invalid subnet {config.Subnet}");
        }
        if (config.Range.Length > 0)
        {
            if (!TryParseNetwork(config.Range, out _, out IPAddress? first))
            {
                throw Refusal.Invalid($"ipam configuration: invalid range {config.Range}");
            }
            if (!subnet.Contains(first!))
            {
                throw Refusal.Invalid($"ipam configuration: subnet {config.Subnet} does not contain range {config.Range}");
            }
        }
        if (config.Gateway.Length > 0)
        {
            if (!IPAddress.TryParse(config.Gateway, out IPAddress? gateway))
            {
                throw Refusal.Invalid($"ipam configuration: invalid gateway {config.Gateway}");
            }
            if (!subnet.Contains(gateway))
            {
                throw Refusal.Invalid($"ipam configuration: subnet {config.Subnet} does not contain gateway {config.Gateway}");
            }
        }
    }

    // Bits of the host may be set, as in 10.1.2.3/24.
    private static bool TryParseNetwork(string text, out IPNetwork network, out IPAddress? address)
    {
        network = default;
        address = null;
        int slash = text.IndexOf('/', StringComparison.Ordinal);
        if (slash < 0
            || !IPAddress.TryParse(text.AsSpan(0, slash), out address)
            || !int.TryParse(text.AsSpan(slash + 1), System.Globalization.NumberStyles.None, null, out int length))
        {
            return false;
        }
        byte[] bytes = address.GetAddressBytes();
        if (length > bytes.Length * 8)
        {
            return false;
        }
        for (int bit = length; bit < bytes.Length * 8; bit++)
        {
            bytes[bit / 8] &= (byte)~(0x80 >> (bit % 8));
        }
        network = new(new IPAddress(bytes), length);
        return true;
    }
}
