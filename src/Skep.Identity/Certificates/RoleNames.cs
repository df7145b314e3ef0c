using Docker.Swarmkit.V1;

namespace Skep.Identity.Certificates;

/// <summary>The names by which certificates and TLS call a node's role; they are SwarmKit's.</summary>
public static class RoleNames
{
    /// <summary>Organizational unit and DNS name of a worker.</summary>
    public const string Worker = "swarm-worker";

    /// <summary>Organizational unit and DNS name of a manager.</summary>
    public const string Manager = "swarm-manager";

    /// <summary>Common name of a root CA, and the DNS name under which managers hand out certificates.</summary>
    public const string Authority = "swarm-ca";

    /// <summary>The organizational unit of a role.</summary>
    public static string Of(NodeRole role) => role == NodeRole.Manager ? Manager : Worker;

    /// <summary>The role of an organizational unit; null when it is no node's.</summary>
    public static NodeRole? Parse(string? organizationalUnit) => organizationalUnit switch
    {
        Manager => NodeRole.Manager,
        Worker => NodeRole.Worker,
        _ => null,
    };
}
