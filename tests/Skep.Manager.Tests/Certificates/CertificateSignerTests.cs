using Docker.Swarmkit.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Skep.Identity;
using Skep.Identity.Certificates;
using State = Docker.Swarmkit.V1.IssuanceStatus.Types.State;

namespace Skep.Manager.Tests.Certificates;

public sealed class CertificateSignerTests : IAsyncDisposable
{
    private readonly CertificateCluster _cluster = new();

    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    [Fact]
    public async Task What_was_asked_before_the_signer_ran_is_signed_when_it_runs()
    {
        var ids = new List<string>();
        for (var i = 0; i < 20; i++)
        {
            ids.Add(await _cluster.JoinAsync());
        }

        _cluster.Signer.Start();

        foreach (var id in ids)
        {
            Assert.Equal(State.Issued, (await _cluster.StatusAsync(id)).Status.State);
        }
    }

    [Fact]
    public async Task A_signer_that_was_stopped_and_started_goes_on()
    {
        _cluster.Signer.Start();
        await _cluster.StatusAsync(await _cluster.JoinAsync());
        await _cluster.Signer.StopAsync();
        var id = await _cluster.JoinAsync();
        Assert.Equal(State.Pending, _cluster.Node(id)!.Certificate.Status.State);

        _cluster.Signer.Start();

        Assert.Equal(State.Issued, (await _cluster.StatusAsync(id)).Status.State);
    }

    [Fact]
    public async Task A_node_that_is_not_accepted_gets_no_certificate_until_it_is()
    {
        var id = await _cluster.JoinAsync();
        await _cluster.ChangeAsync(id, n => n.Spec.Membership = NodeSpec.Types.Membership.Pending);
        _cluster.Signer.Start();
        await _cluster.StatusAsync(await _cluster.JoinAsync());
        Assert.Equal(State.Pending, _cluster.Node(id)!.Certificate.Status.State);

        await _cluster.ChangeAsync(id, n => n.Spec.Membership = NodeSpec.Types.Membership.Accepted);

        Assert.Equal(State.Issued, (await _cluster.StatusAsync(id)).Status.State);
    }

    [Fact]
    public async Task A_request_that_cannot_be_signed_fails_with_its_reason()
    {
        var id = await _cluster.JoinAsync();
        await _cluster.ChangeAsync(id, n => n.Certificate.Csr = ByteString.CopyFromUtf8("rubbish"));

        _cluster.Signer.Start();

        var status = (await _cluster.StatusAsync(id)).Status;
        Assert.Equal(State.Failed, status.State);
        Assert.Contains("cannot be read", status.Err, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(24, 24)]
    [InlineData(1, 1)]
    [InlineData(0, 2160)]
    public async Task A_certificate_lives_as_long_as_the_cluster_says_and_never_under_an_hour(int hours, int expected)
    {
        await _cluster.ChangeAsync(c => c.Spec.CaConfig.NodeCertExpiry = Duration.FromTimeSpan(TimeSpan.FromHours(hours)));
        _cluster.Signer.Start();

        var certificate = await IssueAsync();

        Assert.Equal(TimeSpan.FromHours(expected) + CertificateProfile.Backdate, certificate.NotAfter - certificate.NotBefore);
    }

    [Fact]
    public async Task Without_a_key_requests_wait_until_there_is_one()
    {
        var key = _cluster.Object.RootCa.CaKey;
        await _cluster.ChangeAsync(c => c.RootCa.CaKey = ByteString.Empty);
        _cluster.Signer.Start();
        var waiting = _cluster.StatusAsync(await _cluster.JoinAsync());

        await _cluster.ChangeAsync(c => c.RootCa.CaKey = key);

        for (var i = 0; i < 1_000 && !waiting.IsCompleted; i++)
        {
            _cluster.Time.Advance(TimeSpan.FromMilliseconds(500));
            await Pause();
        }

        // Either it was issued, or half a minute passed first and the node asks again.
        if (waiting.IsFaulted)
        {
            waiting = _cluster.StatusAsync(_cluster.Store.Read(v => v.List<Node>().Single().Id));
        }

        Assert.Equal(State.Issued, (await waiting).Status.State);
    }

    [Fact]
    public async Task While_roots_change_a_certificate_goes_out_with_the_link_between_them()
    {
        var next = RootCa.Create(_cluster.Time);
        var link = _cluster.Root.CrossSign(next, _cluster.Time.GetUtcNow());
        await _cluster.ChangeAsync(c => c.RootCa.RootRotation = new RootRotation
        {
            CaCert = ByteString.CopyFrom(next.BundlePem),
            CaKey = ByteString.CopyFrom(next.SigningKeyPem),
            CrossSignedCaCert = ByteString.CopyFrom(link),
        });
        _cluster.Signer.Start();
        var (csr, key) = CertificateCluster.NewRequest();

        var issued = (await _cluster.StatusAsync(await _cluster.JoinAsync(csr: csr))).Certificate;

        var underOld = NodeIdentity.Create(issued.Certificate_.Span, key, _cluster.Root, _cluster.Time.GetUtcNow());
        Assert.Equal(underOld.NodeId, underOld.WithRoot(next, _cluster.Time.GetUtcNow()).NodeId);
    }

    private static async Task Pause()
    {
        using var nothing = new SemaphoreSlim(0);
        await nothing.WaitAsync(TimeSpan.FromMilliseconds(5));
    }

    private async Task<System.Security.Cryptography.X509Certificates.X509Certificate2> IssueAsync()
    {
        var (csr, key) = CertificateCluster.NewRequest();
        var issued = (await _cluster.StatusAsync(await _cluster.JoinAsync(csr: csr))).Certificate;
        return NodeIdentity.Create(issued.Certificate_.Span, key, _cluster.Root, _cluster.Time.GetUtcNow()).Certificate;
    }
}
