using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Skep.Coordination.Client.Tests.Infrastructure;

namespace Skep.Coordination.Client.Tests;

public sealed class Connections_by_tls(ServerFixture fixture) : ServerTest(fixture)
{
    [Fact]
    public async Task The_server_is_held_to_its_name()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        using X509Certificate2 certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        CuttableProxy tls = Open(new CuttableProxy(ServerAddress, certificate));
        string port = tls.Address[(tls.Address.LastIndexOf(':') + 1)..];
        var trust = new SslClientAuthenticationOptions
        {
            CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, CustomTrustStore = { certificate }, RevocationMode = X509RevocationMode.NoCheck },
        };

        CoordinationClient client = await ConnectAsync(o => o with { Servers = [$"localhost:{port}"], Tls = trust });
        await client.CreateAsync("/by-tls");
        var refused = await Assert.ThrowsAsync<ConnectionLossException>(
            () => ConnectAsync(o => o with { Servers = [$"127.0.0.1:{port}"], Tls = trust, ConnectTimeout = TimeSpan.FromSeconds(1) }));
        Assert.Contains("RemoteCertificateNameMismatch", refused.Message, StringComparison.Ordinal);
    }
}
