using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Skep.Identity.Certificates;

namespace Skep.Identity.Tests.Support;

/// <summary>A new root signed by the old one as Go does it: the same name twice and no key identifier of the issuer.</summary>
internal static class GoLink
{
    public static byte[] Between(
        RootCa old, RootCa next, bool isAuthority = true, TimeSpan? life = null, bool strangeExtension = false)
    {
        using var key = ECDsa.Create();
        key.ImportFromPem(Encoding.ASCII.GetString(old.SigningKeyPem!));
        var request = new CertificateRequest(next.Roots[0].SubjectName, next.Roots[0].PublicKey, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(isAuthority, false, 0, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(next.Roots[0].PublicKey, false));
        if (strangeExtension)
        {
            request.CertificateExtensions.Add(new X509Extension("1.2.3.4", [5, 0], critical: true));
        }

        var start = DateTimeOffset.UtcNow.AddHours(-2);
        using var link = request.Create(
            old.Roots[0].SubjectName, X509SignatureGenerator.CreateForECDsa(key), start, start + (life ?? TimeSpan.FromDays(365)), [1, 2, 3]);
        return Encoding.ASCII.GetBytes(link.ExportCertificatePem() + "\n");
    }
}
