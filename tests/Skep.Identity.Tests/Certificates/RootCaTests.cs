using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Docker.Swarmkit.V1;
using Skep.Identity.Certificates;
using Skep.Identity.Tests.Support;

namespace Skep.Identity.Tests.Certificates;

public sealed class RootCaTests
{
    private static readonly DateTimeOffset Now = TimeProvider.System.GetUtcNow();

    [Fact]
    public void The_digest_covers_the_bundle_byte_by_byte()
    {
        var root = RootCa.Create(TimeProvider.System);
        var spaced = RootCa.FromBundle([.. root.BundlePem, (byte)'\n']);

        Assert.Equal("sha256:" + Convert.ToHexStringLower(SHA256.HashData(root.BundlePem)), root.DigestText);
        Assert.NotEqual(root.DigestText, spaced.DigestText);
    }

    [Fact]
    public void A_root_loaded_with_its_key_signs_as_before()
    {
        var made = RootCa.Create(TimeProvider.System);
        var loaded = RootCa.ForSigning(made.BundlePem, made.SigningKeyPem);
        var (csr, key) = TestCluster.NewRequest();

        var pem = loaded.Sign(csr, "node", NodeRole.Worker, "cluster", TimeSpan.FromHours(1), Now);

        Assert.Equal("node", NodeIdentity.Create(pem, key, RootCa.FromBundle(made.BundlePem), Now).NodeId);
    }

    [Fact]
    public void A_root_without_its_key_cannot_sign()
    {
        var root = RootCa.FromBundle(RootCa.Create(TimeProvider.System).BundlePem);

        Assert.False(root.CanSign);
        Assert.Throws<InvalidOperationException>(
            () => root.Sign(TestCluster.NewRequest().Csr, "n", NodeRole.Worker, "c", TimeSpan.FromHours(1), Now));
    }

    [Fact]
    public void A_key_that_is_not_the_roots_is_refused()
    {
        var (one, other) = (RootCa.Create(TimeProvider.System), RootCa.Create(TimeProvider.System));

        var refusal = Assert.Throws<CertificateException>(() => RootCa.ForSigning(one.BundlePem, other.SigningKeyPem));
        Assert.Contains("key mismatch", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("rubbish")]
    [InlineData("-----BEGIN CERTIFICATE-----\nrubbish\n-----END CERTIFICATE-----\n")]
    public void What_holds_no_certificate_is_no_root(string bundle) =>
        Assert.Throws<CertificateException>(() => RootCa.FromBundle(Encoding.ASCII.GetBytes(bundle)));

    [Fact]
    public void A_nodes_certificate_is_no_root()
    {
        var leaf = new TestCluster().Issue(NodeRole.Worker);

        var refusal = Assert.Throws<CertificateException>(() => RootCa.FromBundle(leaf.CertificatePem));
        Assert.Contains("no CA", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("rubbish")]
    [InlineData("-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n")]
    public void What_is_no_request_is_not_signed(string csr) => AssertNotSigned(Encoding.ASCII.GetBytes(csr), "cannot be read");

    [Fact]
    public void A_request_with_a_wrong_signature_is_not_signed()
    {
        var der = PemToDer(TestCluster.NewRequest().Csr);
        der[^1] ^= 1;

        AssertNotSigned(Encoding.ASCII.GetBytes(PemEncoding.WriteString("CERTIFICATE REQUEST", der)), "not signed by its key");
    }

    [Fact]
    public void A_request_with_a_weak_key_is_not_signed()
    {
        using var rsa = RSA.Create(1024);
        var csr = new CertificateRequest("", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1).CreateSigningRequestPem();

        AssertNotSigned(Encoding.ASCII.GetBytes(csr), "too weak");
    }

    [Fact]
    public void A_request_of_a_foreign_engine_with_an_RSA_key_is_signed()
    {
        using var rsa = RSA.Create(2048);
        var csr = new CertificateRequest("", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1).CreateSigningRequestPem();
        var root = RootCa.Create(TimeProvider.System);

        var pem = root.Sign(Encoding.ASCII.GetBytes(csr), "n", NodeRole.Worker, "c", TimeSpan.FromHours(1), Now);

        Assert.NotNull(X509Certificate2.CreateFromPem(Encoding.ASCII.GetString(pem)).GetRSAPublicKey());
    }

    [Fact]
    public void A_huge_request_is_refused_unread() => AssertNotSigned(new byte[SigningRequest.MaxSizeBytes + 1], "at most");

    [Fact]
    public void While_roots_change_those_who_know_only_the_old_one_trust_what_the_new_one_signs()
    {
        var (old, next) = (RootCa.Create(TimeProvider.System), RootCa.Create(TimeProvider.System));
        var link = old.CrossSign(next, Now);
        var both = RootCa.ForSigning(old.BundlePem, link, next.SigningKeyPem, link);
        var (csr, key) = TestCluster.NewRequest();

        var pem = both.Sign(csr, "node", NodeRole.Manager, "cluster", TimeSpan.FromHours(1), Now);

        var underOld = NodeIdentity.Create(pem, key, RootCa.FromBundle(old.BundlePem), Now);
        var underNext = underOld.WithRoot(RootCa.FromBundle(next.BundlePem), Now);
        Assert.Single(underOld.Intermediates);
        Assert.Equal(underOld.IssuerPublicKey, underNext.IssuerPublicKey);
    }

    [Fact]
    public void A_certificate_of_another_cluster_leads_nowhere()
    {
        var foreign = new TestCluster().Issue(NodeRole.Manager);

        Assert.Throws<CertificateException>(() => foreign.WithRoot(new TestCluster().Root, Now));
    }

    [Fact]
    public void An_expired_certificate_is_refused_unless_it_is_only_to_be_renewed()
    {
        var root = RootCa.Create(TimeProvider.System);
        var (csr, key) = TestCluster.NewRequest();
        var pem = root.Sign(csr, "n", NodeRole.Worker, "c", TimeSpan.FromHours(1), Now);

        Assert.Throws<CertificateException>(() => NodeIdentity.Create(pem, key, root, Now.AddHours(2)));
        Assert.Equal("n", NodeIdentity.Create(pem, key, root, Now.AddHours(2), allowExpired: true).NodeId);
    }

    [Fact]
    public void A_key_that_is_not_the_certificates_is_refused()
    {
        var root = RootCa.Create(TimeProvider.System);
        var pem = root.Sign(TestCluster.NewRequest().Csr, "n", NodeRole.Worker, "c", TimeSpan.FromHours(1), Now);

        var refusal = Assert.Throws<CertificateException>(() => NodeIdentity.Create(pem, TestCluster.NewRequest().Key, root, Now));
        Assert.Contains("not the one of its certificate", refusal.Message, StringComparison.Ordinal);
    }

    private static void AssertNotSigned(byte[] csr, string why)
    {
        var refusal = Assert.Throws<CertificateException>(
            () => RootCa.Create(TimeProvider.System).Sign(csr, "n", NodeRole.Worker, "c", TimeSpan.FromHours(1), Now));
        Assert.Contains(why, refusal.Message, StringComparison.Ordinal);
    }

    private static byte[] PemToDer(byte[] pem)
    {
        var text = Encoding.ASCII.GetString(pem);
        var fields = PemEncoding.Find(text);
        return Convert.FromBase64String(text[fields.Base64Data]);
    }
}
