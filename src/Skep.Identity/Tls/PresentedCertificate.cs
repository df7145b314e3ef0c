using System.Collections.ObjectModel;
using System.Net.Security;
using System.Runtime.CompilerServices;
using System.Security.Cryptography.X509Certificates;

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

        var context = Of(identity);
        Volatile.Write(ref cached, new PresentedCertificate(identity, context));
        return context;
    }

    public static SslStreamCertificateContext Of(NodeIdentity identity)
    {
        // Offline: nothing is fetched from addresses that certificates name.
        var context = SslStreamCertificateContext.Create(identity.Certificate, identity.Intermediates, offline: true);
        return context.IntermediateCertificates.Count == 0 && identity.Intermediates.Count > 0
            ? WithAll(identity, context)
            : context;
    }

    /// <summary>
    /// .NET leaves out what it takes for a root, and it takes for one what a Docker Swarm puts between an old root and a
    /// new one (see <see cref="Certificates.SameNameChain"/>). Its public face has no way to insist.
    /// </summary>
    private static SslStreamCertificateContext WithAll(NodeIdentity identity, SslStreamCertificateContext otherwise)
    {
        try
        {
            return New(identity.Certificate, new ReadOnlyCollection<X509Certificate2>([.. identity.Intermediates]), null);
        }
        catch (MissingMethodException)
        {
            return otherwise;
        }
    }

    [UnsafeAccessor(UnsafeAccessorKind.Constructor)]
    private static extern SslStreamCertificateContext New(
        X509Certificate2 target, ReadOnlyCollection<X509Certificate2> intermediates, SslCertificateTrust? trust);
}
