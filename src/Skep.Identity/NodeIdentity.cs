using System.Security.Cryptography.X509Certificates;
using Docker.Swarmkit.V1;
using Google.Protobuf;
using Skep.Identity.Certificates;

namespace Skep.Identity;

/// <summary>Who a node is: its certificate, the key to it, and the root it trusts. Never changed; a renewal makes a new one.</summary>
public sealed class NodeIdentity
{
    private NodeIdentity(
        X509Certificate2 certificate, X509Certificate2Collection intermediates, byte[] pem, RootCa root, X509Certificate2 issuer)
    {
        Certificate = certificate;
        Intermediates = intermediates;
        CertificatePem = pem;
        Root = root;
        Subject = NodeSubject.Of(certificate);
        IssuerSubject = issuer.SubjectName.RawData;
        IssuerPublicKey = issuer.PublicKey.ExportSubjectPublicKeyInfo();
    }

    /// <summary>The certificate with its private key.</summary>
    public X509Certificate2 Certificate { get; }

    /// <summary>What goes out with the certificate so that it leads to the root.</summary>
    public X509Certificate2Collection Intermediates { get; }

    /// <summary>Certificate and intermediates as they were received.</summary>
    public byte[] CertificatePem { get; }

    /// <summary>The root this node trusts.</summary>
    public RootCa Root { get; }

    /// <summary>Node id, role and cluster id.</summary>
    public NodeSubject Subject { get; }

    /// <summary>The node's id.</summary>
    public string NodeId => Subject.NodeId;

    /// <summary>The role the certificate gives.</summary>
    public NodeRole Role => Subject.Role;

    /// <summary>The cluster's id.</summary>
    public string ClusterId => Subject.ClusterId;

    /// <summary>Subject of the certificate that signed this one, DER.</summary>
    public byte[] IssuerSubject { get; }

    /// <summary>Public key of the certificate that signed this one, DER.</summary>
    public byte[] IssuerPublicKey { get; }

    /// <summary>What a node tells its manager of itself, so that the manager sees when everyone has moved to a new root.</summary>
    public NodeTLSInfo TlsInfo => new()
    {
        TrustRoot = ByteString.CopyFrom(Root.BundlePem),
        CertIssuerSubject = ByteString.CopyFrom(IssuerSubject),
        CertIssuerPublicKey = ByteString.CopyFrom(IssuerPublicKey),
    };

    /// <summary>Puts certificate, key and root together.</summary>
    /// <param name="certificatePem">The certificate, then its intermediates.</param>
    /// <param name="keyPem">The private key, PKCS#8, not encrypted.</param>
    /// <param name="root">The root it must lead to.</param>
    /// <param name="now">When it must be valid.</param>
    /// <param name="allowExpired">Whether a certificate past its end will do.</param>
    /// <exception cref="CertificateException">They do not fit together, or the certificate is no node's or not valid.</exception>
    public static NodeIdentity Create(
        ReadOnlySpan<byte> certificatePem, ReadOnlySpan<byte> keyPem, RootCa root, DateTimeOffset now, bool allowExpired = false)
    {
        var chain = Pem.Certificates(certificatePem, "the node's certificate");
        if (chain.Count == 0)
        {
            throw new CertificateException("the node's certificate is missing");
        }

        var certificate = chain[0];
        chain.RemoveAt(0);
        using var key = Pem.PrivateKey(keyPem, "the node's key");
        if (!Pem.BelongTogether(certificate, key))
        {
            throw new CertificateException("the node's key is not the one of its certificate");
        }

        var issuer = TrustedChain.Issuer(certificate, chain, root, now, allowExpired);
        var withKey = key switch
        {
            System.Security.Cryptography.ECDsa ec => certificate.CopyWithPrivateKey(ec),
            System.Security.Cryptography.RSA rsa => certificate.CopyWithPrivateKey(rsa),
            _ => throw new CertificateException("the node's key is neither ECDSA nor RSA"),
        };
        return new NodeIdentity(withKey, chain, certificatePem.ToArray(), root, issuer);
    }

    /// <summary>The same certificate under another root, as a change of roots brings it.</summary>
    /// <exception cref="CertificateException">The certificate does not lead to that root.</exception>
    public NodeIdentity WithRoot(RootCa root, DateTimeOffset now)
    {
        var issuer = TrustedChain.Issuer(Certificate, Intermediates, root, now);
        return new NodeIdentity(Certificate, Intermediates, CertificatePem, root, issuer);
    }
}
