using Docker.Swarmkit.V1;
using State = Docker.Swarmkit.V1.IssuanceStatus.Types.State;

namespace Skep.Manager.Certificates;

/// <summary>What the states of a certificate mean.</summary>
internal static class CertificateStates
{
    /// <summary>Whether whoever waits for the certificate need not wait any longer.</summary>
    public static bool IsFinal(Node node) => node.Certificate?.Status?.State is State.Issued or State.Failed or State.Rotate;

    /// <summary>Whether the certificate is to be signed: asked for by an accepted node, or renewed.</summary>
    public static bool IsWanted(Node node) => node.Certificate?.Status?.State switch
    {
        State.Renew => true,
        State.Pending => node.Spec?.Membership == NodeSpec.Types.Membership.Accepted,
        _ => false,
    };
}
