using Docker.Swarmkit.V1;
using Skep.Api;
using Swarmctl.Output;

namespace Swarmctl.Networks;

/// <summary>A network as <c>network inspect</c> shows it.</summary>
internal static class NetworkSummary
{
    public static TabText Of(Network network)
    {
        NetworkSpec spec = network.Spec ?? new();
        TabText text = TabText.ForObject().LineIf("ID", network.Id).LineIf("Name", spec.Annotations?.Name).Line("Spec:\t");
        if (spec.Annotations?.Labels is { Count: > 0 } labels)
        {
            text.Line("  Labels:\t");
            AddPairs(text, labels, "    ");
        }
        text.Line($"  IPv6Enabled\t: {(spec.Ipv6Enabled ? "true" : "false")}").Line($"  Internal\t: {(spec.Internal ? "true" : "false")}");
        if (network.DriverState is { } driver)
        {
            text.Line("Driver:\t");
            AddDriver(text, driver, "  ");
        }
        if (network.Ipam is not { } ipam)
        {
            return text;
        }
        text.Line("IPAM:\t");
        if (ipam.Driver is not null)
        {
            text.Line("  Driver:\t");
            AddDriver(text, ipam.Driver, "    ");
        }
        foreach (IPAMConfig config in ipam.Configs)
        {
            text.Line("  IPAM Config:\t")
                .LineIf("    Family", WireNames.Of(config.Family))
                .LineIf("    Subnet", config.Subnet)
                .LineIf("    Range", config.Range)
                .LineIf("    Gateway", config.Gateway);
        }
        return text;
    }

    private static void AddDriver(TabText text, Driver driver, string indent)
    {
        text.LineIf(indent + "Name", driver.Name);
        if (driver.Options.Count > 0)
        {
            text.Line(indent + "Options:\t");
            AddPairs(text, driver.Options, indent + "  ");
        }
    }

    private static void AddPairs(TabText text, IEnumerable<KeyValuePair<string, string>> pairs, string indent)
    {
        foreach ((string key, string value) in pairs.OrderBy(p => p.Key, StringComparer.Ordinal))
        {
            text.Line($"{indent}{key} = {value}");
        }
    }
}
