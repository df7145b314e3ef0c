using System.Net;
using System.Net.Sockets;
using Docker.Swarmkit.V1;

namespace Skep.Manager.Scheduling;

/// <summary>Whether a node is as a constraint wants it. A key nobody knows is met by no node, whatever the operator.</summary>
internal static class ConstraintMatching
{
    /// <summary>Prefix of constraints and spread preferences on labels an operator gave the node.</summary>
    public const string NodeLabelPrefix = "node.labels.";

    /// <summary>Prefix of constraints and spread preferences on labels the engine was started with.</summary>
    public const string EngineLabelPrefix = "engine.labels.";

    /// <summary>Whether the node meets every constraint.</summary>
    public static bool AreMetBy(this IReadOnlyList<Constraint> constraints, Node node)
    {
        for (int i = 0; i < constraints.Count; i++)
        {
            if (!constraints[i].IsMetBy(node))
            {
                return false;
            }
        }
        return true;
    }

    /// <summary>Whether the node meets the constraint.</summary>
    public static bool IsMetBy(this Constraint constraint, Node node)
    {
        if (constraint.Key.Equals("node.ip", StringComparison.OrdinalIgnoreCase))
        {
            return IsIpMet(constraint, node.Status?.Addr);
        }
        return ValueOf(constraint.Key, node) is { } value
            && value.Equals(constraint.Value, StringComparison.OrdinalIgnoreCase) == constraint.Equal;
    }

    /// <summary>
    /// What the node has under a key of a constraint or of a spread preference; empty where the node lacks it, null where
    /// there is no such key. The prefix of a label key is compared without regard to case, the label itself with.
    /// </summary>
    public static string? ValueOf(string key, Node node)
    {
        if (HasPrefix(key, NodeLabelPrefix))
        {
            return node.Spec?.Annotations?.Labels is { } labels && labels.TryGetValue(key[NodeLabelPrefix.Length..], out string? value) ? value : "";
        }
        if (HasPrefix(key, EngineLabelPrefix))
        {
            return node.Description?.Engine?.Labels is { } labels && labels.TryGetValue(key[EngineLabelPrefix.Length..], out string? value) ? value : "";
        }
        return key.ToLowerInvariant() switch
        {
            "node.id" => node.Id,
            "node.hostname" => node.Description?.Hostname ?? "",
            "node.ip" => node.Status?.Addr ?? "",
            "node.role" => node.Role == NodeRole.Manager ? "MANAGER" : "WORKER",
            "node.platform.os" => node.Description?.Platform?.Os ?? "",
            "node.platform.arch" => node.Description?.Platform?.Architecture ?? "",
            _ => null,
        };
    }

    private static bool HasPrefix(string key, string prefix) =>
        key.Length > prefix.Length && key.StartsWith(prefix, StringComparison.OrdinalIgnoreCase);

    private static bool IsIpMet(Constraint constraint, string? nodeAddress)
    {
        IPAddress? node = ParseIp(nodeAddress);
        if (ParseIp(constraint.Value) is { } wanted)
        {
            return wanted.Equals(node) == constraint.Equal;
        }
        int slash = constraint.Value.IndexOf('/', StringComparison.Ordinal);
        if (slash < 0
            || ParseIp(constraint.Value[..slash]) is not { } network
            || !int.TryParse(constraint.Value.AsSpan(slash + 1), System.Globalization.NumberStyles.None, null, out int prefixLength)
            || prefixLength > network.GetAddressBytes().Length * 8)
        {
            // A malformed address is met by nobody.
            return false;
        }
        return (node is not null && Contains(network, prefixLength, node)) == constraint.Equal;
    }

    private static bool Contains(IPAddress network, int prefixLength, IPAddress address)
    {
        byte[] a = network.GetAddressBytes();
        byte[] b = address.GetAddressBytes();
        if (a.Length != b.Length)
        {
            return false;
        }
        for (int bit = 0; bit < prefixLength; bit += 8)
        {
            int left = Math.Min(8, prefixLength - bit);
            int mask = 0xFF << (8 - left);
            if (((a[bit / 8] ^ b[bit / 8]) & mask) != 0)
            {
                return false;
            }
        }
        return true;
    }

    // .NET takes "10.1" and "0x7f.1" for addresses, which nobody means here.
    private static IPAddress? ParseIp(string? text)
    {
        if (string.IsNullOrEmpty(text) || !IPAddress.TryParse(text, out IPAddress? address))
        {
            return null;
        }
        if (address.AddressFamily == AddressFamily.InterNetwork)
        {
            return text.AsSpan().Count('.') == 3 && text.All(c => c == '.' || char.IsAsciiDigit(c)) ? address : null;
        }
        if (text.StartsWith('['))
        {
            return null;
        }
        return address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
    }
}
