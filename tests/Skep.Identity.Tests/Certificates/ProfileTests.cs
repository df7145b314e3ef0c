using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Docker.Swarmkit.V1;
using Microsoft.Extensions.Time.Testing;
using Skep.Identity.Certificates;
using Skep.Identity.Tests.Support;

namespace Skep.Identity.Tests.Certificates;

/// <summary>What a Docker Engine expects to find in certificates, read back by .NET and by openssl.</summary>
public sealed class ProfileTests
{
    private const string NodeId = "2tv8ep4bmk0w0iwgmfbsmpudb";
    private const string ClusterId = "qernf2v2gp1dsbpi9qaw1b0sh";

    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 11, 23, 10, 20, 40, TimeSpan.Zero));

    [Fact]
    public void A_root_is_a_self_signed_P256_authority_named_swarm_ca_for_20_years()
    {
        var root = RootCa.Create(_time).Roots[0];

        Assert.Equal("CN=swarm-ca", root.Subject);
        Assert.Equal(root.SubjectName.RawData, root.IssuerName.RawData);
        Assert.Equal("1.2.840.10045.4.3.2", root.SignatureAlgorithm.Value);
        Assert.Equal(256, root.GetECDsaPublicKey()!.KeySize);
        Assert.Equal(new DateTime(2026, 11, 23, 10, 16, 0, DateTimeKind.Utc), root.NotBefore.ToUniversalTime());
        Assert.Equal(TimeSpan.FromSeconds(630_720_000), root.NotAfter - root.NotBefore);
        var text = Text(Encoding.ASCII.GetBytes(root.ExportCertificatePem()));
        Assert.Contains("X509v3 Key Usage: critical\n                Certificate Sign, CRL Sign\n", text, StringComparison.Ordinal);
        Assert.Contains("X509v3 Basic Constraints: critical\n                CA:TRUE\n", text, StringComparison.Ordinal);
        Assert.Contains("X509v3 Subject Key Identifier:", text, StringComparison.Ordinal);
        Assert.DoesNotContain("Authority Key Identifier", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(NodeRole.Worker, "swarm-worker", "DNS:swarm-worker, DNS:" + NodeId)]
    [InlineData(NodeRole.Manager, "swarm-manager", "DNS:swarm-manager, DNS:" + NodeId + ", DNS:swarm-ca")]
    public void A_node_certificate_has_SwarmKits_profile(NodeRole role, string unit, string names)
    {
        var root = RootCa.Create(_time);
        var pem = root.Sign(TestCluster.NewRequest().Csr, NodeId, role, ClusterId, TimeSpan.FromHours(2160), _time.GetUtcNow());

        var text = Text(pem);
        Assert.Contains($"Subject: O = {ClusterId}, OU = {unit}, CN = {NodeId}\n", text, StringComparison.Ordinal);
        Assert.Contains("Issuer: CN = swarm-ca\n", text, StringComparison.Ordinal);
        Assert.Contains("Signature Algorithm: ecdsa-with-SHA256", text, StringComparison.Ordinal);
        Assert.Contains("Not Before: Nov 23 09:21:00 2026 GMT", text, StringComparison.Ordinal);
        Assert.Contains("Not After : Feb 21 10:21:00 2027 GMT", text, StringComparison.Ordinal);
        Assert.Contains("X509v3 Key Usage: critical\n                Digital Signature, Key Encipherment\n", text, StringComparison.Ordinal);
        Assert.Contains("TLS Web Server Authentication, TLS Web Client Authentication\n", text, StringComparison.Ordinal);
        Assert.Contains("X509v3 Basic Constraints: critical\n                CA:FALSE\n", text, StringComparison.Ordinal);
        Assert.Contains($"X509v3 Subject Alternative Name: \n                {names}\n", text, StringComparison.Ordinal);
        Assert.Contains("X509v3 Subject Key Identifier:", text, StringComparison.Ordinal);
        Assert.Contains("X509v3 Authority Key Identifier:", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Openssl_follows_a_node_certificate_to_the_root()
    {
        using var folder = new TemporaryFolder();
        var root = RootCa.Create(TimeProvider.System);
        var ca = Path.Combine(folder.Root, "ca.crt");
        File.WriteAllBytes(ca, root.BundlePem);
        var pem = root.Sign(TestCluster.NewRequest().Csr, NodeId, NodeRole.Manager, ClusterId, TimeSpan.FromHours(1), TimeProvider.System.GetUtcNow());

        Assert.Contains("OK", OpenSsl.Run(pem, "verify", "-purpose", "sslserver", "-verify_hostname", "swarm-ca", "-CAfile", ca), StringComparison.Ordinal);
    }

    [Fact]
    public void Serial_numbers_are_positive_and_have_up_to_160_random_bits()
    {
        var root = RootCa.Create(_time);
        var serials = Enumerable.Range(0, 50).Select(_ =>
        {
            var pem = root.Sign(TestCluster.NewRequest().Csr, NodeId, NodeRole.Worker, ClusterId, TimeSpan.FromHours(2), _time.GetUtcNow());
            return X509Certificate2.CreateFromPem(Encoding.ASCII.GetString(pem)).SerialNumberBytes.ToArray();
        }).ToList();

        Assert.All(serials, s => Assert.InRange(s.Length, 18, 20));
        Assert.All(serials, s => Assert.True(s[0] < 0x80));
        Assert.Equal(50, serials.Select(Convert.ToHexString).Distinct().Count());
    }

    [Fact]
    public void A_life_under_an_hour_means_the_default_of_90_days()
    {
        var root = RootCa.Create(_time);
        var pem = root.Sign(TestCluster.NewRequest().Csr, NodeId, NodeRole.Worker, ClusterId, TimeSpan.FromMinutes(59), _time.GetUtcNow());

        var certificate = X509Certificate2.CreateFromPem(Encoding.ASCII.GetString(pem));
        Assert.Equal(TimeSpan.FromHours(2161), certificate.NotAfter - certificate.NotBefore);
    }

    [Fact]
    public void Nothing_but_the_public_key_is_taken_from_a_request()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var greedy = new CertificateRequest("CN=swarm-manager, OU=swarm-manager", key, HashAlgorithmName.SHA256);
        greedy.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        var csr = Encoding.ASCII.GetBytes(greedy.CreateSigningRequestPem());

        var pem = RootCa.Create(_time).Sign(csr, NodeId, NodeRole.Worker, ClusterId, TimeSpan.FromHours(2), _time.GetUtcNow());

        var certificate = X509Certificate2.CreateFromPem(Encoding.ASCII.GetString(pem));
        Assert.Equal(new NodeSubject(NodeId, NodeRole.Worker, ClusterId).ToString(), NodeSubject.Of(certificate).ToString());
        Assert.False(certificate.Extensions.OfType<X509BasicConstraintsExtension>().Single().CertificateAuthority);
        Assert.Equal(key.ExportSubjectPublicKeyInfo(), certificate.PublicKey.ExportSubjectPublicKeyInfo());
    }

    [Fact]
    public void A_request_is_signed_by_its_own_key_and_names_nobody()
    {
        var text = OpenSsl.Run(TestCluster.NewRequest().Csr, "req", "-noout", "-text", "-verify");

        Assert.Contains("Subject: \n", text, StringComparison.Ordinal);
        Assert.Contains("ecdsa-with-SHA256", text, StringComparison.Ordinal);
    }

    private static string Text(byte[] pem) => OpenSsl.Run(pem, "x509", "-noout", "-text");
}
