using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Skep.Identity.Certificates;

/// <summary>Certificates and keys to PEM and back. Every block ends with a line feed, so that blocks can be put end to end.</summary>
internal static class Pem
{
    /// <summary>Nothing that nodes exchange comes near this; what does is refused before it is parsed.</summary>
    public const int MaxBundleSizeBytes = 256 * 1024;

    public static byte[] Encode(X509Certificate2 certificate) =>
        Encoding.ASCII.GetBytes(certificate.ExportCertificatePem() + "\n");

    public static byte[] EncodePrivateKey(AsymmetricAlgorithm key) =>
        Encoding.ASCII.GetBytes(key.ExportPkcs8PrivateKeyPem() + "\n");

    public static byte[] EncodeRequest(byte[] der) =>
        Encoding.ASCII.GetBytes(PemEncoding.WriteString("CERTIFICATE REQUEST", der) + "\n");

    /// <summary>The certificates of a bundle in their order; none is no error here.</summary>
    /// <exception cref="CertificateException">A block is no certificate, or the bundle is too large.</exception>
    public static X509Certificate2Collection Certificates(ReadOnlySpan<byte> pem, string what)
    {
        if (pem.Length > MaxBundleSizeBytes)
        {
            throw new CertificateException($"{what} has {pem.Length} bytes; at most {MaxBundleSizeBytes} are read");
        }

        var certificates = new X509Certificate2Collection();
        try
        {
            certificates.ImportFromPem(Encoding.UTF8.GetString(pem));
        }
        catch (CryptographicException e)
        {
            throw new CertificateException($"{what} holds something that is no certificate: {e.Message}", e);
        }

        return certificates;
    }

    /// <summary>An ECDSA or RSA private key, PKCS#8 or the older forms.</summary>
    /// <exception cref="CertificateException">It is neither.</exception>
    public static AsymmetricAlgorithm PrivateKey(ReadOnlySpan<byte> pem, string what)
    {
        var text = Encoding.UTF8.GetString(pem);
        var ecdsa = ECDsa.Create();
        try
        {
            ecdsa.ImportFromPem(text);
            return ecdsa;
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            ecdsa.Dispose();
        }

        var rsa = RSA.Create();
        try
        {
            rsa.ImportFromPem(text);
            return rsa;
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            rsa.Dispose();
            throw new CertificateException($"{what} is no ECDSA or RSA private key in PEM", e);
        }
    }

    public static bool BelongTogether(X509Certificate2 certificate, AsymmetricAlgorithm key) =>
        certificate.PublicKey.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(key.ExportSubjectPublicKeyInfo());
}
