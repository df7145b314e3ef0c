using System.Security.Cryptography;
using Docker.Swarmkit.V1;
using Skep.Identity.Certificates;
using Skep.Identity.Tests.Support;

namespace Skep.Identity.Tests.Certificates;

/// <summary>A Docker Swarm in the middle of a change of roots.</summary>
public sealed class SameNameChainTests
{
    private static readonly DateTimeOffset Now = TimeProvider.System.GetUtcNow();
    private readonly RootCa _old = RootCa.Create(TimeProvider.System);
    private readonly RootCa _next = RootCa.Create(TimeProvider.System);

    [Fact]
    public void What_the_new_root_signs_is_trusted_by_way_of_the_old_one()
    {
        var identity = Issue(GoLink.Between(_old, _next));

        Assert.Single(identity.Intermediates);
        Assert.Equal(_next.Roots[0].PublicKey.ExportSubjectPublicKeyInfo(), identity.IssuerPublicKey);
    }

    [Fact]
    public void A_link_that_another_root_signed_leads_nowhere() =>
        Assert.Throws<CertificateException>(() => Issue(GoLink.Between(RootCa.Create(TimeProvider.System), _next)));

    [Fact]
    public void A_link_that_is_no_authority_leads_nowhere() =>
        Assert.Throws<CertificateException>(() => Issue(GoLink.Between(_old, _next, isAuthority: false)));

    [Fact]
    public void A_link_that_has_run_out_leads_nowhere() =>
        Assert.Throws<CertificateException>(() => Issue(GoLink.Between(_old, _next, life: TimeSpan.FromHours(1))));

    [Fact]
    public void A_link_with_a_condition_nobody_understands_leads_nowhere() =>
        Assert.Throws<CertificateException>(() => Issue(GoLink.Between(_old, _next, strangeExtension: true)));

    [Fact]
    public void Without_the_link_there_is_no_way() => Assert.Throws<CertificateException>(() => Issue([]));

    [Fact]
    public void A_link_for_another_new_root_leads_nowhere() =>
        Assert.Throws<CertificateException>(() => Issue(GoLink.Between(_old, RootCa.Create(TimeProvider.System))));

    [Fact]
    public void A_certificate_changed_by_one_bit_leads_nowhere()
    {
        var identity = Issue(GoLink.Between(_old, _next));
        var der = identity.Certificate.RawData;
        der[^1] ^= 1;
        using var forged = System.Security.Cryptography.X509Certificates.X509CertificateLoader.LoadCertificate(der);

        Assert.Null(SameNameChain.Issuer(forged, identity.Intermediates, _old.Roots, new Oid("1.3.6.1.5.5.7.3.2"), Now));
        Assert.NotNull(SameNameChain.Issuer(identity.Certificate, identity.Intermediates, _old.Roots, new Oid("1.3.6.1.5.5.7.3.2"), Now));
    }

    [Fact]
    public void A_certificate_is_good_only_for_what_it_is_for()
    {
        var identity = Issue(GoLink.Between(_old, _next));

        Assert.Null(SameNameChain.Issuer(identity.Certificate, identity.Intermediates, _old.Roots, new Oid("1.3.6.1.5.5.7.3.3"), Now));
    }

    private NodeIdentity Issue(byte[] link)
    {
        var (csr, key) = TestCluster.NewRequest();
        var leaf = _next.Sign(csr, "node", NodeRole.Manager, "cluster", TimeSpan.FromHours(24), Now);
        return NodeIdentity.Create([.. leaf, .. link], key, RootCa.FromBundle(_old.BundlePem), Now);
    }
}
