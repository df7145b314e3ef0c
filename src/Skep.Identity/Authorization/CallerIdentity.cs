using Docker.Swarmkit.V1;
using Skep.Identity.Certificates;

namespace Skep.Identity.Authorization;

/// <summary>Who makes a call, as authorisation found it.</summary>
/// <param name="NodeId">The node; empty for a caller without a certificate, where the method lets one in.</param>
/// <param name="Roles">The organizational units of its certificate.</param>
/// <param name="ClusterId">The cluster its certificate is for; empty without one.</param>
/// <param name="ForwardedBy">The manager that handed the call on; null when the node itself called.</param>
/// <param name="RemoteAddress">Where the node itself called from, host:port, as far as it is known.</param>
public sealed record CallerIdentity(
    string NodeId, IReadOnlyList<string> Roles, string ClusterId, string? ForwardedBy = null, string? RemoteAddress = null)
{
    /// <summary>
    /// Key of the caller in <c>ServerCallContext.UserState</c>: whoever accepts calls puts it in, services read it with
    /// <see cref="CallerExtensions.Caller"/>.
    /// </summary>
    public const string UserStateKey = "skep.caller";

    /// <summary>Somebody who has shown no valid certificate.</summary>
    public static readonly CallerIdentity Anonymous = new("", [], "");

    /// <summary>Whether a node of this cluster calls.</summary>
    public bool IsNode => NodeId.Length > 0;

    /// <summary>Whether a manager calls.</summary>
    public bool IsManager => Roles.Contains(RoleNames.Manager);

    /// <summary>The node itself, for its control socket, which the file's permissions guard.</summary>
    public static CallerIdentity Local(NodeIdentity node)
    {
        ArgumentNullException.ThrowIfNull(node);
        return new CallerIdentity(node.NodeId, [RoleNames.Of(node.Role)], node.ClusterId);
    }

    /// <summary>The node itself, by its parts.</summary>
    public static CallerIdentity Local(string nodeId, NodeRole role, string clusterId) =>
        new(nodeId, [RoleNames.Of(role)], clusterId);
}
