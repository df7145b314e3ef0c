using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Skep.Identity.Certificates;

/// <summary>
/// Follows a certificate to the root by its signatures. Needed while a Docker Swarm changes its root: the new root signed
/// by the old one then bears the same name as both and no key identifier of its issuer, which OpenSSL takes for a root of
/// its own and refuses, where Go tries the keys.
/// </summary>
internal static class SameNameChain
{
    private const int MaxDepth = 4;
    private const string KeyUsageOid = "2.5.29.15";
    private const string AlternativeNameOid = "2.5.29.17";
    private const string BasicConstraintsOid = "2.5.29.19";
    private const string ExtendedKeyUsageOid = "2.5.29.37";
    private const string AnyUsage = "2.5.29.37.0";
    private static readonly string[] Understood = [KeyUsageOid, AlternativeNameOid, BasicConstraintsOid, ExtendedKeyUsageOid];

    /// <summary>The certificate's issuer, if it leads to one of the roots and all between are what they must be.</summary>
    /// <param name="certificate">The certificate.</param>
    /// <param name="between">What the peer sent along.</param>
    /// <param name="roots">Who is trusted.</param>
    /// <param name="usage">What the certificate must be good for.</param>
    /// <param name="now">When all must be valid; null for no matter when.</param>
    public static X509Certificate2? Issuer(
        X509Certificate2 certificate,
        X509Certificate2Collection between,
        X509Certificate2Collection roots,
        Oid usage,
        DateTimeOffset? now)
    {
        // A peer that sends a crowd is not worth the arithmetic.
        if (between.Count > MaxDepth || !IsSound(certificate, now) || !IsFor(certificate, usage))
        {
            return null;
        }

        return Follow(certificate, between, roots, now, depth: 0);
    }

    private static X509Certificate2? Follow(
        X509Certificate2 certificate,
        X509Certificate2Collection between,
        X509Certificate2Collection roots,
        DateTimeOffset? now,
        int depth)
    {
        if (roots.FirstOrDefault(r => Issued(r, certificate, now, depth)) is { } root)
        {
            return root;
        }

        return depth == MaxDepth
            ? null
            : between.FirstOrDefault(b =>
                !b.RawDataMemory.Span.SequenceEqual(certificate.RawDataMemory.Span)
                && Issued(b, certificate, now, depth)
                && Follow(b, between, roots, now, depth + 1) is not null);
    }

    private static bool Issued(X509Certificate2 issuer, X509Certificate2 certificate, DateTimeOffset? now, int below)
    {
        var constraints = issuer.Extensions.OfType<X509BasicConstraintsExtension>().SingleOrDefault();
        var usage = issuer.Extensions.OfType<X509KeyUsageExtension>().SingleOrDefault();
        return issuer.SubjectName.RawData.AsSpan().SequenceEqual(certificate.IssuerName.RawData)
            && constraints is { CertificateAuthority: true }
            && (!constraints.HasPathLengthConstraint || constraints.PathLengthConstraint >= below)
            && (usage is null || usage.KeyUsages.HasFlag(X509KeyUsageFlags.KeyCertSign))
            && IsSound(issuer, now)
            && IsSignedBy(certificate, issuer.PublicKey);
    }

    private static bool IsSound(X509Certificate2 certificate, DateTimeOffset? now) =>
        (now is not { } time || (certificate.NotBefore.ToUniversalTime() <= time && time <= certificate.NotAfter.ToUniversalTime()))
        && certificate.Extensions.All(e => !e.Critical || Understood.Contains(e.Oid?.Value));

    private static bool IsFor(X509Certificate2 certificate, Oid usage) =>
        certificate.Extensions.OfType<X509EnhancedKeyUsageExtension>().SingleOrDefault() is not { } extension
        || extension.EnhancedKeyUsages.Cast<Oid>().Any(o => o.Value == usage.Value || o.Value == AnyUsage);

    private static bool IsSignedBy(X509Certificate2 certificate, PublicKey key)
    {
        try
        {
            var whole = new AsnReader(certificate.RawDataMemory, AsnEncodingRules.DER).ReadSequence();
            var signed = whole.ReadEncodedValue();
            var algorithm = whole.ReadSequence().ReadObjectIdentifier();
            var signature = whole.ReadBitString(out var unused);
            return unused == 0 && IsSignature(algorithm, key, signed.Span, signature);
        }
        catch (Exception e) when (e is AsnContentException or CryptographicException)
        {
            return false;
        }
    }

    private static bool IsSignature(string algorithm, PublicKey key, ReadOnlySpan<byte> signed, ReadOnlySpan<byte> signature)
    {
        using var ec = key.GetECDsaPublicKey();
        using var rsa = key.GetRSAPublicKey();
        return algorithm switch
        {
            "1.2.840.10045.4.3.2" => VerifyEc(HashAlgorithmName.SHA256, signed, signature),
            "1.2.840.10045.4.3.3" => VerifyEc(HashAlgorithmName.SHA384, signed, signature),
            "1.2.840.10045.4.3.4" => VerifyEc(HashAlgorithmName.SHA512, signed, signature),
            "1.2.840.113549.1.1.11" => VerifyRsa(HashAlgorithmName.SHA256, signed, signature),
            "1.2.840.113549.1.1.12" => VerifyRsa(HashAlgorithmName.SHA384, signed, signature),
            "1.2.840.113549.1.1.13" => VerifyRsa(HashAlgorithmName.SHA512, signed, signature),
            _ => false,
        };

        bool VerifyEc(HashAlgorithmName hash, ReadOnlySpan<byte> data, ReadOnlySpan<byte> sig) =>
            ec?.VerifyData(data, sig, hash, DSASignatureFormat.Rfc3279DerSequence) ?? false;

        bool VerifyRsa(HashAlgorithmName hash, ReadOnlySpan<byte> data, ReadOnlySpan<byte> sig) =>
            rsa?.VerifyData(data, sig, hash, RSASignaturePadding.Pkcs1) ?? false;
    }
}
