using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Skep.Bench.Raft;

/// <summary>A root for the run, and a certificate for each process, which both sides of every stream check.</summary>
internal static class Certificates
{
    private const string Password = "bench";

    public static void Write(string folder, int members)
    {
        using ECDsa rootKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var rootRequest = new CertificateRequest("CN=root", rootKey, HashAlgorithmName.SHA256);
        rootRequest.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using X509Certificate2 root = rootRequest.CreateSelfSigned(DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddDays(1));
        File.WriteAllText(Path.Combine(folder, "root.pem"), root.ExportCertificatePem());
        foreach (int id in Enumerable.Range(0, members + 1))
        {
            using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            var request = new CertificateRequest($"CN={id}", key, HashAlgorithmName.SHA256);
            using X509Certificate2 certificate = request.Create(root, DateTimeOffset.UtcNow.AddMinutes(-30), DateTimeOffset.UtcNow.AddHours(12), RandomNumberGenerator.GetBytes(8)).CopyWithPrivateKey(key);
            File.WriteAllBytes(Path.Combine(folder, $"{id}.pfx"), certificate.Export(X509ContentType.Pfx, Password));
        }
    }

    public static X509Certificate2 Read(string folder, ulong id) => X509CertificateLoader.LoadPkcs12FromFile(Path.Combine(folder, $"{id}.pfx"), Password);

    public static async Task<SslStream> ClientAsync(Stream inner, string folder, X509Certificate2 own, CancellationToken ct)
    {
        var secured = new SslStream(inner);
        await secured.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions
            {
                TargetHost = "member",
                ClientCertificates = [own],
                EnabledSslProtocols = SslProtocols.Tls13,
                RemoteCertificateValidationCallback = Check(folder),
            },
            ct);
        return secured;
    }

    public static async Task<SslStream> ServerAsync(Stream inner, string folder, X509Certificate2 own, CancellationToken ct)
    {
        var secured = new SslStream(inner);
        await secured.AuthenticateAsServerAsync(
            new SslServerAuthenticationOptions
            {
                ServerCertificate = own,
                ClientCertificateRequired = true,
                EnabledSslProtocols = SslProtocols.Tls13,
                RemoteCertificateValidationCallback = Check(folder),
            },
            ct);
        return secured;
    }

    /// <summary>Whose certificate it is: its common name is the member's number, 0 for a client.</summary>
    public static ulong PeerOf(SslStream stream) => ulong.Parse(new X509Certificate2(stream.RemoteCertificate!).GetNameInfo(X509NameType.SimpleName, false));

    private static RemoteCertificateValidationCallback Check(string folder)
    {
        X509Certificate2 root = X509CertificateLoader.LoadCertificateFromFile(Path.Combine(folder, "root.pem"));
        return (_, certificate, _, _) =>
        {
            using var chain = new X509Chain { ChainPolicy = { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck } };
            chain.ChainPolicy.CustomTrustStore.Add(root);
            return certificate is not null && chain.Build(new X509Certificate2(certificate));
        };
    }
}
