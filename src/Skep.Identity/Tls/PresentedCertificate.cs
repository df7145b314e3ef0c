using System.Net.Security;

namespace Skep.Identity.Tls;

/// <summary>A certificate made ready for TLS, which costs enough to be kept as long as the identity lasts.</summary>
internal sealed record PresentedCertificate(NodeIdentity Identity, SslStreamCertificateContext Context)
{
    public static SslStreamCertificateContext For(NodeIdentity identity, ref PresentedCertificate? cached)
    {
        if (Volatile.Read(ref cached) is { } kept && ReferenceEquals(kept.Identity, identity))
        {
            return kept.Context;
        }

        // Offline: nothing is fetched from addresses that certificates name.
        var context = SslStreamCertificateContext.Create(identity.Certificate, identity.Intermediates, offline: true);
        Volatile.Write(ref cached, new PresentedCertificate(identity, context));
        return context;
    }
}
