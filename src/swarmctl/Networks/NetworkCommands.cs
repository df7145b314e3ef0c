using System.CommandLine;
using System.Net;
using Docker.Swarmkit.V1;
using Swarmctl.Connection;
using Swarmctl.Flags;
using Swarmctl.Output;

namespace Swarmctl.Networks;

/// <summary><c>swarmctl network …</c></summary>
internal static class NetworkCommands
{
    private static readonly Argument<string[]> Words = Verb.Words("network ID");
    private static readonly Option<bool> Quiet = CommonFlags.Quiet("Only display IDs");
    private static readonly Option<string> Name = CommonFlags.Text("--name", "Network name");
    private static readonly Option<string> Driver = CommonFlags.Text("--driver", "Network driver");
    private static readonly Option<string> IpamDriver = CommonFlags.Text("--ipam-driver", "IPAM driver");
    private static readonly Option<string[]> Subnet = CommonFlags.List("--subnet", "Subnets in CIDR format that represents a network segments");
    private static readonly Option<string[]> Gateway = CommonFlags.List("--gateway", "Gateway IP addresses for network segments");
    private static readonly Option<string[]> IpRange = CommonFlags.List("--ip-range", "IP ranges to allocate from within the subnets");
    private static readonly Option<string[]> Opts = CommonFlags.List("--opts", "Network driver options");

    public static Command All() => Verb.Group(
        "network", "Network management",
        Verb.Make("create", "Create a network", CreateAsync, Driver, Gateway, IpRange, IpamDriver, Name, Opts, Subnet),
        Verb.Make("inspect", "Inspect a network", InspectAsync, Words),
        Verb.Make("ls", "List networks", ListAsync, Quiet),
        Verb.Make("remove", "Remove a network", RemoveAsync, Words).Alias("rm"));

    private static async Task CreateAsync(Session s, CancellationToken ct)
    {
        if (!s.Has(Name))
        {
            throw new UserException("--name is required");
        }
        var spec = new NetworkSpec { Annotations = new() { Name = s.Flags.GetValue(Name) } };
        if (s.Has(Driver))
        {
            spec.DriverConfig = new() { Name = s.Flags.GetValue(Driver) };
            foreach (string option in s.Values(Opts))
            {
                string[] parts = option.Split('=', 2);
                spec.DriverConfig.Options[parts[0]] = parts.Length == 2 ? parts[1] : throw new UserException($"invalid argument \"{option}\" for --opts: expected key=value");
            }
        }
        spec.Ipam = Ipam(s);
        s.Output.WriteLine((await s.Control.CreateNetworkAsync(new() { Spec = spec }, cancellationToken: ct).ConfigureAwait(false)).Network.Id);
    }

    private static IPAMOptions? Ipam(Session s)
    {
        List<string> subnets = s.Values(Subnet);
        List<string> gateways = s.Values(Gateway);
        List<string> ranges = s.Values(IpRange);
        if (subnets.Count == 0)
        {
            return gateways.Count + ranges.Count == 0
                ? (s.Has(IpamDriver) ? new() { Driver = new() { Name = s.Flags.GetValue(IpamDriver) } } : null)
                : throw new UserException("--gateway and --ip-range need --subnet: name the subnet that they are in");
        }
        var options = new IPAMOptions { Driver = new() { Name = s.Has(IpamDriver) ? s.Flags.GetValue(IpamDriver) : "default" } };
        foreach (string text in subnets)
        {
            if (!IPNetwork.TryParse(text, out IPNetwork subnet))
            {
                throw new UserException($"invalid argument \"{text}\" for --subnet: expected a network such as 10.1.0.0/24");
            }
            options.Configs.Add(new IPAMConfig
            {
                Family = subnet.BaseAddress.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 ? IPAMConfig.Types.AddressFamily.Ipv6 : IPAMConfig.Types.AddressFamily.Ipv4,
                Subnet = text,
                Gateway = gateways.FirstOrDefault(g => IPAddress.TryParse(g, out IPAddress? a) && subnet.Contains(a)) ?? "",
                Range = ranges.FirstOrDefault(r => IPNetwork.TryParse(r, out IPNetwork range) && subnet.Contains(range.BaseAddress)) ?? "",
            });
        }
        string? lost = gateways.Except(options.Configs.Select(c => c.Gateway)).Concat(ranges.Except(options.Configs.Select(c => c.Range))).FirstOrDefault();
        return lost is null ? options : throw new UserException($"{lost} is no address of any subnet given, or its subnet has one already");
    }

    private static async Task ListAsync(Session s, CancellationToken ct)
    {
        List<Network> networks = [.. (await s.Control.ListNetworksAsync(new(), cancellationToken: ct).ConfigureAwait(false)).Networks];
        if (s.Json)
        {
            s.WriteJson(networks);
            return;
        }
        if (s.Flags.GetValue(Quiet))
        {
            networks.ForEach(n => s.Output.WriteLine(n.Id));
            return;
        }
        TabText table = TabText.ForList().Header("ID", "Name", "Driver");
        networks.ForEach(n => table.Line($"{n.Id}\t{n.Spec?.Annotations?.Name}\t{n.DriverState?.Name ?? n.Spec?.DriverConfig?.Name}"));
        s.Output.Write(table);
    }

    private static async Task InspectAsync(Session s, CancellationToken ct)
    {
        Network network = await s.NetworkAsync(s.One(Words, "network ID missing"), ct).ConfigureAwait(false);
        if (s.Json)
        {
            s.WriteJson(network);
            return;
        }
        s.Output.Write(NetworkSummary.Of(network));
    }

    private static async Task RemoveAsync(Session s, CancellationToken ct)
    {
        Network network = await s.NetworkAsync(s.One(Words, "network ID missing"), ct).ConfigureAwait(false);
        await s.Control.RemoveNetworkAsync(new() { NetworkId = network.Id }, cancellationToken: ct).ConfigureAwait(false);
        s.Output.WriteLine(network.Id);
    }
}
