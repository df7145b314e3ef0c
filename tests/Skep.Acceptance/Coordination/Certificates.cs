using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Skep.Acceptance.Coordination;

/// <summary>An authority of the user's own, and what it signs, in files of a folder.</summary>
internal sealed class Certificates : IDisposable
{
    private readonly string folder;
    private readonly X509Certificate2 authority;

    public Certificates(string folder, string name)
    {
        (this.folder, AuthorityFile) = (folder, Path.Combine(folder, $"{name}.crt"));
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        authority = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        File.WriteAllText(AuthorityFile, authority.ExportCertificatePem());
    }

    public string AuthorityFile { get; }

    /// <summary>Signs a certificate for this machine as a server, or for a client.</summary>
    public (string Certificate, string Key) Sign(string subject)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(System.Net.IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1"), new Oid("1.3.6.1.5.5.7.3.2")], false));
        byte[] number = RandomNumberGenerator.GetBytes(8);
        using X509Certificate2 signed = request.Create(authority, authority.NotBefore, authority.NotAfter, number);
        string file = Path.Combine(folder, Convert.ToHexString(number));
        File.WriteAllText(file + ".crt", signed.ExportCertificatePem());
        File.WriteAllText(file + ".key", key.ExportPkcs8PrivateKeyPem());
        return (file + ".crt", file + ".key");
    }

    public void Dispose() => authority.Dispose();
}
