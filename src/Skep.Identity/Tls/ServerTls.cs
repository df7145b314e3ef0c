using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Skep.Identity.Certificates;

namespace Skep.Identity.Tls;

/// <summary>
/// How a manager answers TLS: with its node certificate, at least TLS 1.2, HTTP/2, and a client certificate welcome but
/// not required, since joining nodes have none. One that is shown must lead to the cluster's root.
/// </summary>
public sealed class ServerTls(NodeIdentitySource source)
{
    private PresentedCertificate? _presented;

    /// <summary>Options for a connection that is being accepted on the remote port; asked for each, so that a renewal counts at once.</summary>
    public SslServerAuthenticationOptions ForRemoteApi()
    {
        var options = ForClients();
        options.ApplicationProtocols = [SslApplicationProtocol.Http2, ConsensusStream.Protocol];
        return options;
    }

    /// <summary>The same for a port of another protocol than HTTP/2, which names none.</summary>
    public SslServerAuthenticationOptions ForClients()
    {
        var identity = source.Current;
        var options = WithoutClients(identity);
        options.ApplicationProtocols = null;
        options.ClientCertificateRequired = true;
        options.CertificateChainPolicy = TrustedChain.Policy(identity.Root, peerIsServer: false);
        options.RemoteCertificateValidationCallback =
            (_, certificate, chain, errors) => certificate is null
                || (certificate is X509Certificate2 shown
                    && TrustedChain.Accepts(shown, chain, errors, identity.Root, peerIsServer: false, TimeProvider.System.GetUtcNow()));
        return options;
    }

    /// <summary>Options for the control socket: its callers show nothing, the file's permissions guard it.</summary>
    public SslServerAuthenticationOptions ForControlSocket() => WithoutClients(source.Current);

    private SslServerAuthenticationOptions WithoutClients(NodeIdentity identity) => new()
    {
        ServerCertificateContext = PresentedCertificate.For(identity, ref _presented),
        EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
        ApplicationProtocols = [SslApplicationProtocol.Http2],

        // A resumed session would skip the look at the client's certificate.
        AllowTlsResume = false,
    };
}
