using System.Collections.Frozen;
using Skep.Identity.Certificates;

namespace Skep.Identity.Authorization;

/// <summary>
/// Who may call which method: SwarmKit's options <c>tls_authorization</c>, written down (source: moby/swarmkit api/*.proto).
/// A method that is not here may be called by nobody.
/// </summary>
public static class MethodAuthorization
{
    private const string Swarmkit = "docker.swarmkit.v1.";
    private const string Skep = "skep.v1.";

    private static readonly FrozenDictionary<string, Access> Methods = new Dictionary<string, Access>(StringComparer.Ordinal)
    {
        [Swarmkit + "CA/GetRootCACertificate"] = Access.Anybody,
        [Swarmkit + "CA/GetUnlockKey"] = Access.Managers,
    }.ToFrozenDictionary();

    private static readonly FrozenDictionary<string, Access> Services = new Dictionary<string, Access>(StringComparer.Ordinal)
    {
        [Swarmkit + "NodeCA"] = Access.Anybody,
        [Swarmkit + "Dispatcher"] = Access.Nodes,
        [Swarmkit + "ResourceAllocator"] = Access.Nodes,

        // Agents publish and listen; whoever reads logs asks the service Logs.
        [Swarmkit + "LogBroker"] = Access.Nodes,
        [Swarmkit + "Logs"] = Access.Managers,
        [Swarmkit + "Control"] = Access.Managers,
        [Swarmkit + "Watch"] = Access.Managers,
        [Swarmkit + "Health"] = Access.Managers,
        [Swarmkit + "Raft"] = Access.Managers,
        [Swarmkit + "RaftMembership"] = Access.Managers,
    }.ToFrozenDictionary();

    /// <summary>Who may call the method; what is ours is for managers unless it says otherwise above.</summary>
    /// <param name="method">Its full name as gRPC writes it, <c>/package.Service/Method</c>.</param>
    public static Access Of(string method)
    {
        var name = (method ?? "").TrimStart('/');
        if (Methods.TryGetValue(name, out var access))
        {
            return access;
        }

        var slash = name.IndexOf('/', StringComparison.Ordinal);
        var service = slash < 0 ? name : name[..slash];
        return Services.TryGetValue(service, out access) ? access
            : service.StartsWith(Skep, StringComparison.Ordinal) ? Access.Managers
            : Access.Nobody;
    }

    /// <summary>The roles in the order SwarmKit names them.</summary>
    internal static IReadOnlyList<string> Roles(this Access access) => access switch
    {
        Access.Nodes or Access.Anybody => [RoleNames.Worker, RoleNames.Manager],
        Access.Managers => [RoleNames.Manager],
        _ => [],
    };
}

/// <summary>Who may call a method.</summary>
public enum Access
{
    /// <summary>Nobody: the method is not known.</summary>
    Nobody,

    /// <summary>Managers of this cluster.</summary>
    Managers,

    /// <summary>Workers and managers of this cluster.</summary>
    Nodes,

    /// <summary>Anybody, with a certificate or without.</summary>
    Anybody,
}
