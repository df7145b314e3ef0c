using System.Net.Security;

namespace Skep.Coordination.Client.Session;

internal static class TlsOptions
{
    /// <summary>The caller's options for one server: its name is checked where the caller names no host.</summary>
    public static SslClientAuthenticationOptions For(SslClientAuthenticationOptions given, string host) =>
        !string.IsNullOrEmpty(given.TargetHost) ? given : new SslClientAuthenticationOptions
        {
            TargetHost = host,
            AllowRenegotiation = given.AllowRenegotiation,
            AllowTlsResume = given.AllowTlsResume,
            ApplicationProtocols = given.ApplicationProtocols,
            CertificateChainPolicy = given.CertificateChainPolicy,
            CertificateRevocationCheckMode = given.CertificateRevocationCheckMode,
            CipherSuitesPolicy = given.CipherSuitesPolicy,
            ClientCertificateContext = given.ClientCertificateContext,
            ClientCertificates = given.ClientCertificates,
            EnabledSslProtocols = given.EnabledSslProtocols,
            EncryptionPolicy = given.EncryptionPolicy,
            LocalCertificateSelectionCallback = given.LocalCertificateSelectionCallback,
            RemoteCertificateValidationCallback = given.RemoteCertificateValidationCallback,
        };
}
