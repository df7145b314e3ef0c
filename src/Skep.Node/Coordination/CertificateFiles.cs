using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Skep.Node.Coordination;

/// <summary>TLS with a certificate of the user's own, from PEM files.</summary>
internal static class CertificateFiles
{
    /// <summary>How connections are answered with the certificate. They may show one of their own, which must then lead to an authority that is given.</summary>
    /// <param name="certificate">The certificate, and behind it what lies between it and its root.</param>
    /// <param name="key">Its private key, not encrypted.</param>
    /// <param name="authority">The roots of clients' certificates; null asks for none.</param>
    /// <exception cref="NodeStartException">A file cannot be read; the message names it.</exception>
    public static Func<SslServerAuthenticationOptions> Load(string certificate, string key, string? authority)
    {
        SslStreamCertificateContext context = Read(certificate, key);
        X509Certificate2Collection? roots = authority is null ? null : ReadCertificates("--coordination-tls-ca", authority);
        return () => Options(context, roots);
    }

    private static SslServerAuthenticationOptions Options(SslStreamCertificateContext context, X509Certificate2Collection? roots)
    {
        var options = new SslServerAuthenticationOptions
        {
            ServerCertificateContext = context,
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,

            // A resumed session would skip the look at the client's certificate.
            AllowTlsResume = false,
        };
        if (roots is not null)
        {
            var policy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                RevocationMode = X509RevocationMode.NoCheck,
                DisableCertificateDownloads = true,
            };
            policy.CustomTrustStore.AddRange(roots);
            policy.ApplicationPolicy.Add(new Oid("1.3.6.1.5.5.7.3.2"));
            options.ClientCertificateRequired = true;
            options.CertificateChainPolicy = policy;
            options.RemoteCertificateValidationCallback = static (_, shown, _, errors) => shown is null || errors == SslPolicyErrors.None;
        }
        return options;
    }

    private static SslStreamCertificateContext Read(string certificate, string key)
    {
        X509Certificate2Collection all = ReadCertificates("--coordination-tls-cert", certificate);
        try
        {
            all.RemoveAt(0);
            return SslStreamCertificateContext.Create(X509Certificate2.CreateFromPemFile(certificate, key), all, offline: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            throw new NodeStartException($"--coordination-tls-key {key}: it is not the private key of {certificate}, in PEM and not encrypted: {e.Message}", e);
        }
    }

    private static X509Certificate2Collection ReadCertificates(string flag, string file)
    {
        var certificates = new X509Certificate2Collection();
        try
        {
            certificates.ImportFromPemFile(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new NodeStartException($"{flag} {file}: {e.Message}", e);
        }
        return certificates.Count > 0 ? certificates : throw new NodeStartException($"{flag} {file}: there is no certificate in it; expected PEM");
    }
}
