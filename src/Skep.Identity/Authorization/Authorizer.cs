using Grpc.Core;
using Skep.Identity.Certificates;

namespace Skep.Identity.Authorization;

/// <summary>
/// Decides on a call, from the certificate, the headers, the method and the cluster alone. The words of a refusal are
/// SwarmKit's (source: moby/swarmkit ca/auth.go).
/// </summary>
public static class Authorizer
{
    private const string Denied = "Permission denied: ";

    /// <summary>The caller, or the reason why the call is refused.</summary>
    /// <param name="certificate">The peer's certificate, checked by TLS against the cluster's root; null without one.</param>
    /// <param name="headers">The call's headers.</param>
    /// <param name="method">Its full name, <c>/package.Service/Method</c>.</param>
    /// <param name="cluster">The cluster as it is now.</param>
    /// <param name="remoteAddress">Where the peer called from.</param>
    /// <exception cref="RpcException">PermissionDenied: this caller may not make this call.</exception>
    public static CallerIdentity Authorize(
        CertificateFacts? certificate, Metadata headers, string method, ClusterMembership cluster, string? remoteAddress = null)
    {
        var access = MethodAuthorization.Of(method);
        if (access == Access.Nobody)
        {
            throw Refuse($"{Denied}no access rule for method {method}");
        }

        var roles = access.Roles();
        if (access == Access.Anybody)
        {
            // A certificate that does not count makes its owner a stranger here, as a token may still let it in.
            return Decide(certificate, headers, roles, cluster, remoteAddress, out var known) is null
                ? known!
                : CallerIdentity.Anonymous with { RemoteAddress = OriginOfStranger(certificate, headers, cluster, remoteAddress) };
        }

        return Decide(certificate, headers, roles, cluster, remoteAddress, out var caller) is { } refusal
            ? throw Refuse(refusal)
            : caller!;
    }

    private static string? Decide(
        CertificateFacts? certificate,
        Metadata headers,
        IReadOnlyList<string> roles,
        ClusterMembership cluster,
        string? remoteAddress,
        out CallerIdentity? caller)
    {
        caller = null;
        if (ForwardedCertificate.From(headers) is not { } forwarded)
        {
            if (Check(certificate, roles, cluster) is { } refusal)
            {
                return $"{Denied}unauthorized peer role: {AsError(refusal)}";
            }

            caller = new CallerIdentity(
                certificate!.CommonName, certificate.OrganizationalUnits, certificate.Organization, null, remoteAddress);
            return null;
        }

        if (Check(certificate, [RoleNames.Manager], cluster) is { } forwarderRefusal)
        {
            return $"{Denied}unauthorized forwarder role: {AsError(forwarderRefusal)}";
        }

        var original = forwarded.Certificate;
        if (original.CommonName.Length == 0 || original.Organization.Length == 0 || original.OrganizationalUnits.Count == 0)
        {
            return $"{Denied}missing information in forwarded request";
        }

        if (!original.OrganizationalUnits.Any(roles.Contains))
        {
            return $"{Denied}unauthorized forwarded role, expecting: {List(roles)}";
        }

        if (original.Organization != cluster.ClusterId)
        {
            return $"{Denied}organization mismatch, expecting: {cluster.ClusterId}";
        }

        if (cluster.IsRemoved(original.CommonName))
        {
            return Removed(original.CommonName);
        }

        caller = new CallerIdentity(
            original.CommonName,
            original.OrganizationalUnits,
            original.Organization,
            certificate!.CommonName,
            forwarded.RemoteAddress);
        return null;
    }

    private static string? Check(CertificateFacts? certificate, IReadOnlyList<string> roles, ClusterMembership cluster)
    {
        if (certificate is null)
        {
            return "no client certificates in request";
        }

        if (!certificate.OrganizationalUnits.Any(roles.Contains))
        {
            return $"{Denied}remote certificate not part of OUs: {List(roles)}";
        }

        if (cluster.IsRemoved(certificate.CommonName))
        {
            return Removed(certificate.CommonName);
        }

        if (certificate.Organization != cluster.ClusterId)
        {
            return $"{Denied}remote certificate not part of organization: {cluster.ClusterId}";
        }

        // What workers may do it may do as well, its renewal among it.
        return !roles.Contains(RoleNames.Worker) && cluster.IsFormerManager(certificate.CommonName)
            ? $"{Denied}node {certificate.CommonName} is a manager no more"
            : null;
    }

    // Only a manager is believed where a stranger really called from.
    private static string? OriginOfStranger(
        CertificateFacts? certificate, Metadata headers, ClusterMembership cluster, string? remoteAddress) =>
        ForwardedCertificate.From(headers) is { } forwarded && Check(certificate, [RoleNames.Manager], cluster) is null
            ? forwarded.RemoteAddress
            : remoteAddress;

    private static string Removed(string nodeId) => $"{Denied}node {nodeId} was removed from swarm";

    private static string List(IReadOnlyList<string> roles) => $"[{string.Join(' ', roles)}]";

    private static string AsError(string description) => $"rpc error: code = PermissionDenied desc = {description}";

    private static RpcException Refuse(string description) => new(new Status(StatusCode.PermissionDenied, description));
}
