using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Skep.Identity.Certificates;

/// <summary>Whether a certificate leads to the cluster's root. The machine's own trust store has no say in it.</summary>
public static class TrustedChain
{
    private static readonly Oid ServerAuthentication = new("1.3.6.1.5.5.7.3.1");
    private static readonly Oid ClientAuthentication = new("1.3.6.1.5.5.7.3.2");

    /// <summary>A policy for TLS: only this root, nothing downloaded, no revocation lists (removed nodes are kept out by name).</summary>
    public static X509ChainPolicy Policy(RootCa root, bool peerIsServer)
    {
        ArgumentNullException.ThrowIfNull(root);
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
        };
        policy.CustomTrustStore.AddRange(root.Roots);
        policy.ApplicationPolicy.Add(peerIsServer ? ServerAuthentication : ClientAuthentication);
        return policy;
    }

    /// <summary>Checks a certificate and returns its issuer.</summary>
    /// <param name="certificate">The certificate.</param>
    /// <param name="intermediates">What may lie between it and the root.</param>
    /// <param name="root">The root it must lead to.</param>
    /// <param name="now">When it must be valid.</param>
    /// <param name="allowExpired">Whether a certificate past its end is good enough (it is, for renewing it).</param>
    /// <exception cref="CertificateException">It does not lead there, or is not valid now.</exception>
    public static X509Certificate2 Issuer(
        X509Certificate2 certificate,
        X509Certificate2Collection intermediates,
        RootCa root,
        DateTimeOffset now,
        bool allowExpired = false)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        var policy = Policy(root, peerIsServer: false);
        policy.ExtraStore.AddRange(intermediates);
        policy.VerificationTimeIgnored = false;
        policy.VerificationTime = now.LocalDateTime;
        if (allowExpired)
        {
            policy.VerificationFlags |= X509VerificationFlags.IgnoreNotTimeValid;
        }

        using var chain = new X509Chain { ChainPolicy = policy };
        if (chain.Build(certificate) && chain.ChainElements.Count >= 2)
        {
            return chain.ChainElements[1].Certificate;
        }

        if (SameNameChain.Issuer(certificate, intermediates, root.Roots, ClientAuthentication, allowExpired ? null : now) is { } issuer)
        {
            return issuer;
        }

        var why = string.Join("; ", chain.ChainStatus.Select(s => s.StatusInformation.Trim()));
        throw new CertificateException($"the certificate of {certificate.Subject} is not valid for this cluster: {why}");
    }

    /// <summary>What TLS asks about a peer's certificate after it has looked itself; the peer's name is its own affair.</summary>
    internal static bool Accepts(
        X509Certificate2 certificate, X509Chain? chain, SslPolicyErrors errors, RootCa root, bool peerIsServer, DateTimeOffset now)
    {
        if (errors != SslPolicyErrors.RemoteCertificateChainErrors)
        {
            return errors == SslPolicyErrors.None;
        }

        var sent = chain is null ? [] : chain.ChainPolicy.ExtraStore;
        var usage = peerIsServer ? ServerAuthentication : ClientAuthentication;
        return SameNameChain.Issuer(certificate, sent, root.Roots, usage, now) is not null;
    }
}
