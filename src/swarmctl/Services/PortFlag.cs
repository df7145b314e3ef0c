using System.Globalization;
using Docker.Swarmkit.V1;

namespace Swarmctl.Services;

/// <summary><c>--ports name:target[/protocol][:published[/protocol]][:host|ingress]</c>; as in SwarmKit a port is the host's unless it says else.</summary>
internal static class PortFlag
{
    public static PortConfig Parse(string text)
    {
        string[] parts = text.Split(':');
        if (parts.Length is < 2 or > 4)
        {
            throw Bad(text, "expected name:target[/protocol][:published[/protocol]][:host|ingress]");
        }
        (uint target, PortConfig.Types.Protocol protocol) = Number(text, parts[1], PortConfig.Types.Protocol.Tcp);
        var port = new PortConfig { Name = parts[0], Protocol = protocol, TargetPort = target, PublishMode = PortConfig.Types.PublishMode.Host };
        string[] rest = parts[2..];
        if (rest.Length > 0 && rest[^1].ToLowerInvariant() is "host" or "ingress")
        {
            port.PublishMode = rest[^1].Equals("host", StringComparison.OrdinalIgnoreCase) ? PortConfig.Types.PublishMode.Host : PortConfig.Types.PublishMode.Ingress;
            rest = rest[..^1];
        }
        if (rest.Length > 1)
        {
            throw Bad(text, "the publish mode must be host or ingress");
        }
        if (rest.Length == 1)
        {
            (port.PublishedPort, PortConfig.Types.Protocol published) = Number(text, rest[0], protocol);
            if (published != protocol)
            {
                throw Bad(text, "protocol mismatch: both sides of a port have one protocol");
            }
        }
        return port;
    }

    private static (uint Port, PortConfig.Types.Protocol Protocol) Number(string text, string spec, PortConfig.Types.Protocol unsaid)
    {
        string[] parts = spec.Split('/');
        if (!ushort.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out ushort port) || parts.Length > 2)
        {
            throw Bad(text, $"\"{spec}\" is no port from 0 to 65535");
        }
        return (port, parts.Length == 1 ? unsaid : parts[1].ToLowerInvariant() switch
        {
            "tcp" => PortConfig.Types.Protocol.Tcp,
            "udp" => PortConfig.Types.Protocol.Udp,
            "sctp" => PortConfig.Types.Protocol.Sctp,
            _ => throw Bad(text, $"invalid protocol string: {parts[1]} (expected tcp, udp or sctp)"),
        });
    }

    private static UserException Bad(string text, string why) => new($"invalid argument \"{text}\" for --ports: {why}");
}
