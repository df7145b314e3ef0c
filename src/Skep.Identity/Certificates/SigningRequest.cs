using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Skep.Identity.Certificates;

/// <summary>Requests for a certificate (PKCS#10): made by nodes, read by managers, who take nothing but the public key.</summary>
public static class SigningRequest
{
    /// <summary>A request has about 400 bytes for a P-256 key; RSA 8192 stays under 4 KiB.</summary>
    public const int MaxSizeBytes = 16 * 1024;

    private const int MinRsaBits = 2048;
    private const int MinEcBits = 256;

    /// <summary>A request with an empty subject for a P-256 key, signed with SHA-256, PEM.</summary>
    public static byte[] Create(ECDsa key) =>
        Pem.EncodeRequest(new CertificateRequest(new X500DistinguishedName(""), key, HashAlgorithmName.SHA256).CreateSigningRequest());

    /// <summary>Whether a root CA would sign it; says why not.</summary>
    /// <exception cref="CertificateException">It is no request, its signature is wrong, or its key is too weak.</exception>
    public static void Check(ReadOnlySpan<byte> csrPem) => _ = PublicKeyOf(csrPem);

    /// <summary>The request's public key; the request must prove that its maker has the private one.</summary>
    /// <exception cref="CertificateException">It is no request, its signature is wrong, or its key is too weak.</exception>
    internal static PublicKey PublicKeyOf(ReadOnlySpan<byte> csrPem)
    {
        if (csrPem.Length > MaxSizeBytes)
        {
            throw new CertificateException($"the certificate request has {csrPem.Length} bytes; at most {MaxSizeBytes} are read");
        }

        PublicKey key;
        try
        {
            key = CertificateRequest.LoadSigningRequestPem(Encoding.UTF8.GetString(csrPem), HashAlgorithmName.SHA256).PublicKey;
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException or NotSupportedException)
        {
            throw new CertificateException($"the certificate request cannot be read or is not signed by its key: {e.Message}", e);
        }

        using var ec = key.GetECDsaPublicKey();
        using var rsa = key.GetRSAPublicKey();
        return (ec?.KeySize, rsa?.KeySize) switch
        {
            ( >= MinEcBits, _) => key,
            (_, >= MinRsaBits) => key,
            _ => throw new CertificateException(
                $"the certificate request's key is too weak: ECDSA needs {MinEcBits} bits, RSA {MinRsaBits}"),
        };
    }
}
