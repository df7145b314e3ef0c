using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Skep.Identity.Certificates;

namespace Skep.Identity.Tls;

/// <summary>
/// How a node calls managers. A manager proves that it is one by the name in its certificate, not by its address, so the
/// name asked for is always swarm-manager or swarm-ca.
/// </summary>
public static class ClientTls
{
    /// <summary>
    /// For fetching the root CA from a manager that cannot be trusted yet: whatever certificate it shows will do, and the
    /// token's digest decides about the answer.
    /// </summary>
    public static SslClientAuthenticationOptions Unverified()
    {
        var options = Base();

        // Nothing is known yet to check against; the root that comes back must have the digest of the join token.
#pragma warning disable CA5359
        options.RemoteCertificateValidationCallback = static (_, _, _, _) => true;
#pragma warning restore CA5359
        return options;
    }

    /// <summary>For a node that has no certificate yet: the server must lead to the root.</summary>
    public static SslClientAuthenticationOptions Joining(RootCa root)
    {
        var options = Base();
        options.CertificateChainPolicy = TrustedChain.Policy(root, peerIsServer: true);
        options.RemoteCertificateValidationCallback = (_, certificate, chain, errors) => certificate is X509Certificate2 shown
            && TrustedChain.Accepts(shown, chain, errors, root, peerIsServer: true, TimeProvider.System.GetUtcNow());
        return options;
    }

    /// <summary>For a node that shows its certificate.</summary>
    public static SslClientAuthenticationOptions As(NodeIdentity identity)
    {
        ArgumentNullException.ThrowIfNull(identity);
        var options = Joining(identity.Root);
        options.ClientCertificateContext = PresentedCertificate.Of(identity);
        return options;
    }

    /// <summary>The same options for a TLS stream of one's own: the name that is asked for is in them.</summary>
    internal static SslClientAuthenticationOptions WithName(SslClientAuthenticationOptions options, string name, SslApplicationProtocol? protocol = null) => new()
    {
        TargetHost = name,
        EnabledSslProtocols = options.EnabledSslProtocols,
        ApplicationProtocols = protocol is { } only ? [only] : options.ApplicationProtocols,
        AllowTlsResume = options.AllowTlsResume,
        CertificateChainPolicy = options.CertificateChainPolicy?.Clone(),
        ClientCertificateContext = options.ClientCertificateContext,
        RemoteCertificateValidationCallback = options.RemoteCertificateValidationCallback,
    };

    private static SslClientAuthenticationOptions Base() => new()
    {
        EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
        ApplicationProtocols = [SslApplicationProtocol.Http2],
        AllowTlsResume = false,
    };
}
