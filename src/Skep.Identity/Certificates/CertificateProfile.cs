using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Skep.Identity.Certificates;

/// <summary>
/// What is written into certificates: SwarmKit's profile to the letter, since real Docker Engines check it.
/// </summary>
public static class CertificateProfile
{
    /// <summary>Life of a node's certificate where the cluster does not say: 90 days.</summary>
    public static readonly TimeSpan DefaultExpiry = TimeSpan.FromHours(2160);

    /// <summary>The shortest life a cluster may ask for.</summary>
    public static readonly TimeSpan MinExpiry = TimeSpan.FromHours(1);

    /// <summary>How far a node's certificate starts in the past, for clocks that are behind.</summary>
    public static readonly TimeSpan Backdate = TimeSpan.FromHours(1);

    private static readonly TimeSpan RootBackdate = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan RootLife = TimeSpan.FromSeconds(630_720_000);
    private static readonly Oid ServerAuthentication = new("1.3.6.1.5.5.7.3.1");
    private static readonly Oid ClientAuthentication = new("1.3.6.1.5.5.7.3.2");

    internal static X509Certificate2 SelfSign(ECDsa key, DateTimeOffset now)
    {
        var name = NodeSubject.CommonNameOnly(RoleNames.Authority);
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256);
        AddAuthorityExtensions(request);
        var notBefore = ToMinute(now) - RootBackdate;
        return request.Create(name, X509SignatureGenerator.CreateForECDsa(key), notBefore, notBefore + RootLife, NewSerial());
    }

    internal static X509Certificate2 CrossSign(
        X509Certificate2 successor, X509Certificate2 issuer, AsymmetricAlgorithm issuerKey, DateTimeOffset now)
    {
        var request = new CertificateRequest(successor.SubjectName, successor.PublicKey, HashAlgorithmName.SHA256);
        AddAuthorityExtensions(request);
        AddAuthorityKey(request, issuer);
        var notBefore = ToMinute(now) - RootBackdate;
        return request.Create(issuer.SubjectName, Generator(issuerKey), notBefore, issuer.NotAfter, NewSerial());
    }

    internal static X509Certificate2 SignLeaf(
        PublicKey publicKey,
        X509Certificate2 issuer,
        AsymmetricAlgorithm issuerKey,
        NodeSubject subject,
        TimeSpan expiry,
        DateTimeOffset now)
    {
        var request = new CertificateRequest(subject.ToName(), publicKey, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(
            new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature | X509KeyUsageFlags.KeyEncipherment, critical: true));
        request.CertificateExtensions.Add(
            new X509EnhancedKeyUsageExtension([ServerAuthentication, ClientAuthentication], critical: false));
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(publicKey, critical: false));
        AddAuthorityKey(request, issuer);
        request.CertificateExtensions.Add(Names(subject));

        var life = expiry < MinExpiry ? DefaultExpiry : expiry;
        var start = ToMinute(now);
        return request.Create(issuer.SubjectName, Generator(issuerKey), start - Backdate, start + life, NewSerial());
    }

    private static X509Extension Names(NodeSubject subject)
    {
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(RoleNames.Of(subject.Role));
        names.AddDnsName(subject.NodeId);

        // Joining nodes ask for swarm-ca, since whoever signs need not be a manager.
        if (subject.Role == Docker.Swarmkit.V1.NodeRole.Manager)
        {
            names.AddDnsName(RoleNames.Authority);
        }

        return names.Build();
    }

    private static void AddAuthorityExtensions(CertificateRequest request)
    {
        request.CertificateExtensions.Add(
            new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
    }

    private static void AddAuthorityKey(CertificateRequest request, X509Certificate2 issuer)
    {
        if (issuer.Extensions.OfType<X509SubjectKeyIdentifierExtension>().FirstOrDefault() is { } identifier)
        {
            request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromSubjectKeyIdentifier(identifier));
        }
    }

    private static X509SignatureGenerator Generator(AsymmetricAlgorithm key) => key switch
    {
        ECDsa ec => X509SignatureGenerator.CreateForECDsa(ec),
        RSA rsa => X509SignatureGenerator.CreateForRSA(rsa, RSASignaturePadding.Pkcs1),
        _ => throw new CertificateException($"cannot sign with a key of kind {key.GetType().Name}"),
    };

    /// <summary>To the nearest minute, halves up.</summary>
    private static DateTimeOffset ToMinute(DateTimeOffset time)
    {
        var ticks = (time.UtcTicks + TimeSpan.TicksPerMinute / 2) / TimeSpan.TicksPerMinute * TimeSpan.TicksPerMinute;
        return new DateTimeOffset(ticks, TimeSpan.Zero);
    }

    /// <summary>20 random bytes of a positive number.</summary>
    private static byte[] NewSerial()
    {
        var serial = RandomNumberGenerator.GetBytes(20);
        serial[0] &= 0x7f;
        return serial;
    }
}
