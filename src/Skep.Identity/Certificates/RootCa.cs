using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Docker.Swarmkit.V1;

namespace Skep.Identity.Certificates;

/// <summary>
/// The root of trust of one cluster: a bundle of self-signed certificates which every node trusts, and on managers the
/// key that signs nodes' certificates.
/// </summary>
/// <remarks>
/// While a root is being replaced, the signing certificate is the new root signed by the old one. It then goes out with
/// every certificate as an intermediate, so that those who know only the old root trust what the new one signs.
/// </remarks>
public sealed class RootCa
{
    private readonly X509Certificate2? _signingCertificate;
    private readonly byte[] _intermediatesPem;

    private RootCa(byte[] bundle, X509Certificate2Collection roots, X509Certificate2? signing, byte[]? key, byte[] intermediates)
    {
        BundlePem = bundle;
        Roots = roots;
        Digest = SHA256.HashData(bundle);
        _signingCertificate = signing;
        SigningKeyPem = key;
        _intermediatesPem = intermediates;
    }

    /// <summary>The bundle's bytes, exactly as received: the digest covers them and not what they mean.</summary>
    public byte[] BundlePem { get; }

    /// <summary>SHA-256 of <see cref="BundlePem"/>.</summary>
    public byte[] Digest { get; }

    /// <summary>The digest as cluster objects carry it, <c>sha256:</c> and 64 hexadecimal digits.</summary>
    public string DigestText => "sha256:" + Convert.ToHexStringLower(Digest);

    /// <summary>The certificates that are trusted, and no others.</summary>
    public X509Certificate2Collection Roots { get; }

    /// <summary>The key that signs, PKCS#8 PEM; null where certificates are only checked.</summary>
    public byte[]? SigningKeyPem { get; }

    /// <summary>Whether this one can sign.</summary>
    public bool CanSign => SigningKeyPem is not null;

    /// <summary>A new root: self-signed, P-256, CN=swarm-ca, valid for 20 years.</summary>
    public static RootCa Create(TimeProvider time)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = CertificateProfile.SelfSign(key, time.GetUtcNow());
        return ForSigning(Pem.Encode(certificate), Pem.EncodePrivateKey(key));
    }

    /// <summary>A root that is trusted but cannot sign: what a node that is no manager knows.</summary>
    /// <exception cref="CertificateException">There is no CA certificate in the bundle.</exception>
    public static RootCa FromBundle(ReadOnlySpan<byte> bundlePem)
    {
        var bundle = bundlePem.ToArray();
        return new RootCa(bundle, ParseRoots(bundle), null, null, []);
    }

    /// <summary>A root that signs with its own key.</summary>
    /// <exception cref="CertificateException">The bundle or the key is none, or they do not belong together.</exception>
    public static RootCa ForSigning(ReadOnlySpan<byte> bundlePem, ReadOnlySpan<byte> keyPem) =>
        ForSigning(bundlePem, bundlePem, keyPem, []);

    /// <summary>A root whose certificates are signed by another one than the first of its bundle.</summary>
    /// <exception cref="CertificateException">A certificate or the key is none, or key and signing certificate do not belong together.</exception>
    public static RootCa ForSigning(
        ReadOnlySpan<byte> bundlePem,
        ReadOnlySpan<byte> signingCertificatePem,
        ReadOnlySpan<byte> keyPem,
        ReadOnlySpan<byte> intermediatesPem)
    {
        var bundle = bundlePem.ToArray();
        var roots = ParseRoots(bundle);
        var signing = Pem.Certificates(signingCertificatePem, "the signing certificate").FirstOrDefault()
            ?? throw new CertificateException("the signing certificate is missing");
        using var key = Pem.PrivateKey(keyPem, "the root CA's key");
        if (!Pem.BelongTogether(signing, key))
        {
            throw new CertificateException("certificate key mismatch: the root CA's key is not the signing certificate's");
        }

        return new RootCa(bundle, roots, signing, keyPem.ToArray(), intermediatesPem.ToArray());
    }

    /// <summary>
    /// Signs a request. Only its public key is taken; subject, names, usages and validity are ours, whatever it asks for.
    /// </summary>
    /// <param name="csrPem">PKCS#10 in PEM; its own signature is checked.</param>
    /// <param name="nodeId">Becomes the common name and one of the DNS names.</param>
    /// <param name="role">Becomes the organizational unit and one of the DNS names.</param>
    /// <param name="clusterId">Becomes the organization.</param>
    /// <param name="expiry">Life from now on; under an hour means <see cref="CertificateProfile.DefaultExpiry"/>.</param>
    /// <param name="now">The start of its life.</param>
    /// <returns>The certificate and the intermediates, PEM; the root is not among them.</returns>
    /// <exception cref="CertificateException">The request cannot be read, or its key is too weak.</exception>
    /// <exception cref="InvalidOperationException">This root cannot sign.</exception>
    public byte[] Sign(
        ReadOnlySpan<byte> csrPem, string nodeId, NodeRole role, string clusterId, TimeSpan expiry, DateTimeOffset now)
    {
        if (SigningKeyPem is null || _signingCertificate is null)
        {
            throw new InvalidOperationException("this root CA has no key to sign with");
        }

        var publicKey = SigningRequest.PublicKeyOf(csrPem);
        using var key = Pem.PrivateKey(SigningKeyPem, "the root CA's key");
        using var leaf = CertificateProfile.SignLeaf(
            publicKey, _signingCertificate, key, new NodeSubject(nodeId, role, clusterId), expiry, now);
        return [.. Pem.Encode(leaf), .. _intermediatesPem];
    }

    /// <summary>The same certificate signed by this root, for those who do not know it yet: the link in a change of roots.</summary>
    /// <exception cref="InvalidOperationException">This root cannot sign.</exception>
    public byte[] CrossSign(RootCa successor, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(successor);
        if (SigningKeyPem is null || _signingCertificate is null)
        {
            throw new InvalidOperationException("this root CA has no key to sign with");
        }

        using var key = Pem.PrivateKey(SigningKeyPem, "the root CA's key");
        using var crossSigned = CertificateProfile.CrossSign(successor.Roots[0], _signingCertificate, key, now);
        return Pem.Encode(crossSigned);
    }

    private static X509Certificate2Collection ParseRoots(ReadOnlySpan<byte> bundle)
    {
        var roots = Pem.Certificates(bundle, "the root CA bundle");
        if (roots.Count == 0)
        {
            throw new CertificateException("no valid root CA certificates found");
        }

        foreach (var root in roots)
        {
            if (!root.Extensions.OfType<X509BasicConstraintsExtension>().Any(e => e.CertificateAuthority))
            {
                throw new CertificateException($"the root CA bundle holds a certificate that is no CA: {root.Subject}");
            }
        }

        return roots;
    }
}
