using System.Reflection;
using Docker.Swarmkit.V1;
using Grpc.Core;

namespace Skep.Identity;

/// <summary>
/// How a node says that it is Skep's, which it must be to become a manager: SwarmKit's managers speak another Raft
/// (docs/adr/0004-foreign-managers.md). This guards against mistakes, not against liars; those need the manager token.
/// </summary>
public static class SkepMark
{
    /// <summary>gRPC header on every request for a certificate; its value is the node's version.</summary>
    public const string Header = "skep-version";

    /// <summary>Engine label in a node's description; its value is the node's version.</summary>
    public const string EngineLabel = "skep.version";

    /// <summary>This program's version.</summary>
    public static string Version { get; } =
        typeof(SkepMark).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0.0.0";

    /// <summary>Headers that carry the mark.</summary>
    public static Metadata NewHeaders() => new() { { Header, Version } };

    /// <summary>Whether a call comes from a Skep node.</summary>
    public static bool IsOn(Metadata headers)
    {
        ArgumentNullException.ThrowIfNull(headers);
        return headers.Any(h => h.Key == Header && !h.IsBinary && h.Value.Length > 0);
    }

    /// <summary>Whether a node in the store is Skep's.</summary>
    public static bool IsOn(Node node)
    {
        ArgumentNullException.ThrowIfNull(node);
        return node.Description?.Engine?.Labels.ContainsKey(EngineLabel) ?? false;
    }
}
