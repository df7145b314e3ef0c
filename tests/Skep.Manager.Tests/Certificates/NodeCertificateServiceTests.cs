using Docker.Swarmkit.V1;
using Google.Protobuf;
using Grpc.Core;
using Skep.Identity.Authorization;
using Skep.Identity.Certificates;
using Skep.Manager.Certificates;
using State = Docker.Swarmkit.V1.IssuanceStatus.Types.State;

namespace Skep.Manager.Tests.Certificates;

public sealed class NodeCertificateServiceTests : IAsyncDisposable
{
    private readonly CertificateCluster _cluster = new();

    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    [Fact]
    public async Task A_worker_token_makes_a_worker_that_waits_for_its_certificate()
    {
        var (csr, _) = CertificateCluster.NewRequest();

        var response = await _cluster.Service.IssueNodeCertificate(
            new IssueNodeCertificateRequest { Csr = csr, Token = _cluster.Tokens.Worker, Availability = NodeSpec.Types.Availability.Drain },
            new FakeCall(CallerIdentity.Anonymous, isSkep: false));

        var node = _cluster.Node(response.NodeId)!;
        Assert.Equal(NodeSpec.Types.Membership.Accepted, response.NodeMembership);
        Assert.Equal(NodeSpec.Types.Membership.Accepted, node.Spec.Membership);
        Assert.Equal(NodeSpec.Types.Availability.Drain, node.Spec.Availability);
        Assert.Equal((NodeRole.Worker, NodeRole.Worker), (node.Role, node.Spec.DesiredRole));
        Assert.Equal(
            new Certificate { Csr = csr, Cn = node.Id, Role = NodeRole.Worker, Status = new IssuanceStatus { State = State.Pending } },
            node.Certificate);
    }

    [Fact]
    public async Task A_manager_token_makes_a_manager_of_a_Skep_node()
    {
        var node = _cluster.Node(await _cluster.JoinAsync(_cluster.Tokens.Manager))!;

        Assert.Equal((NodeRole.Manager, NodeRole.Manager), (node.Role, node.Certificate.Role));
    }

    [Fact]
    public async Task A_manager_token_is_refused_with_the_reason_while_no_further_manager_can_take_part()
    {
        _cluster.FullReason = "one manager is enough";
        await RefusedAsync(StatusCode.FailedPrecondition, "one manager is enough", () => _cluster.JoinAsync(_cluster.Tokens.Manager));
    }

    [Fact]
    public async Task A_manager_token_of_a_foreign_engine_is_refused_before_anything_is_written()
    {
        await RefusedAsync(
            StatusCode.FailedPrecondition,
            "only a Skep node can become a manager of this cluster: join with its worker token instead",
            () => _cluster.JoinAsync(_cluster.Tokens.Manager, isSkep: false));
        Assert.Empty(_cluster.Store.Read(v => v.List<Node>().ToList()));
    }

    [Theory]
    [InlineData("")]
    [InlineData("notatoken")]
    [InlineData("SWMTKN-1-3fnuhdbqznavj2znk48232lqbauvqo33251bpt8wddg9qw0bdl-31n55h9xy3nxsbi24bwqet3xh")]
    public Task Whoever_has_no_token_of_this_cluster_is_refused_in_SwarmKits_words(string token) => RefusedAsync(
        StatusCode.InvalidArgument, "A valid join token is necessary to join this cluster", () => _cluster.JoinAsync(token));

    [Fact]
    public async Task A_token_that_was_rotated_is_worth_nothing()
    {
        var old = _cluster.Tokens.Worker;
        await _cluster.ChangeAsync(c => c.RootCa.JoinTokens.Worker = Identity.Tokens.JoinToken.Generate(_cluster.Root).ToString());

        await RefusedAsync(
            StatusCode.InvalidArgument, "A valid join token is necessary to join this cluster", () => _cluster.JoinAsync(old));
        Assert.NotEmpty(await _cluster.JoinAsync());
    }

    [Fact]
    public async Task A_request_without_a_CSR_or_with_rubbish_makes_no_node()
    {
        var empty = await Assert.ThrowsAsync<RpcException>(() => _cluster.JoinAsync(csr: ByteString.Empty));
        var rubbish = await Assert.ThrowsAsync<RpcException>(() => _cluster.JoinAsync(csr: ByteString.CopyFromUtf8("rubbish")));
        var huge = await Assert.ThrowsAsync<RpcException>(
            () => _cluster.JoinAsync(csr: ByteString.CopyFrom(new byte[SigningRequest.MaxSizeBytes + 1])));

        Assert.All([empty, rubbish, huge], e => Assert.Equal(StatusCode.InvalidArgument, e.StatusCode));
        Assert.Contains("csr is missing", empty.Status.Detail, StringComparison.Ordinal);
        Assert.Contains("cannot be read", rubbish.Status.Detail, StringComparison.Ordinal);
        Assert.Contains("at most", huge.Status.Detail, StringComparison.Ordinal);
        Assert.Empty(_cluster.Store.Read(v => v.List<Node>().ToList()));
    }

    [Fact]
    public async Task Only_so_many_nodes_may_wait_for_a_certificate()
    {
        var (csr, _) = CertificateCluster.NewRequest();
        await _cluster.Store.BatchAsync(Enumerable.Range(0, NodeCertificateService.MaxPending), (tx, i) => tx.Create(new Node
        {
            Id = $"waiting{i}",
            Certificate = new Certificate { Csr = csr, Status = new IssuanceStatus { State = State.Renew } },
        }));

        var refusal = await Assert.ThrowsAsync<RpcException>(() => _cluster.JoinAsync());
        Assert.Equal(StatusCode.ResourceExhausted, refusal.StatusCode);
    }

    [Fact]
    public async Task A_node_that_shows_its_certificate_is_renewed_under_the_role_it_has_by_now()
    {
        var id = await _cluster.JoinAsync();
        await _cluster.ChangeAsync(id, n => n.Role = NodeRole.Manager);
        var (csr, _) = CertificateCluster.NewRequest();

        await RenewAsync(id, csr);

        Assert.Equal(
            new Certificate { Csr = csr, Cn = id, Role = NodeRole.Manager, Status = new IssuanceStatus { State = State.Renew } },
            _cluster.Node(id)!.Certificate);
    }

    [Fact]
    public async Task A_demoted_manager_is_renewed_as_a_worker()
    {
        var id = await _cluster.JoinAsync(_cluster.Tokens.Manager);
        await _cluster.ChangeAsync(id, n => n.Role = NodeRole.Worker);

        await RenewAsync(id, CertificateCluster.NewRequest().Csr);

        Assert.Equal(NodeRole.Worker, _cluster.Node(id)!.Certificate.Role);
    }

    [Fact]
    public async Task A_foreign_engine_that_was_promoted_gets_no_managers_certificate()
    {
        var id = await _cluster.JoinAsync(isSkep: false);
        await _cluster.ChangeAsync(id, n => n.Role = NodeRole.Manager);

        await RefusedAsync(
            StatusCode.FailedPrecondition,
            $"only a Skep node can be a manager of this cluster: demote node {id}, then it gets its certificate",
            () => RenewAsync(id, CertificateCluster.NewRequest().Csr, isSkep: false));
    }

    [Fact]
    public Task A_node_that_is_gone_is_not_renewed() => RefusedAsync(
        StatusCode.NotFound,
        "node gone not found when attempting to renew certificate",
        () => RenewAsync("gone", CertificateCluster.NewRequest().Csr));

    [Fact]
    public async Task Whoever_asks_for_a_certificate_waits_until_it_is_signed()
    {
        var (csr, key) = CertificateCluster.NewRequest();
        var id = await _cluster.JoinAsync(csr: csr);
        var waiting = _cluster.StatusAsync(id);
        Assert.False(waiting.IsCompleted);

        _cluster.Signer.Start();

        var response = await waiting;
        Assert.Equal(State.Issued, response.Status.State);
        Assert.Equal(csr, response.Certificate.Csr);
        var identity = Identity.NodeIdentity.Create(
            response.Certificate.Certificate_.Span, key, RootCa.FromBundle(_cluster.Root.BundlePem), _cluster.Time.GetUtcNow());
        Assert.Equal((id, NodeRole.Worker, _cluster.Id), (identity.NodeId, identity.Role, identity.ClusterId));
        Assert.Equal(0, _cluster.Signer.Waiters.Count);
    }

    [Fact]
    public async Task A_certificate_that_is_to_be_renewed_counts_as_issued()
    {
        var id = await _cluster.JoinAsync();
        await _cluster.ChangeAsync(id, n => n.Certificate.Status.State = State.Rotate);

        Assert.Equal(State.Rotate, (await _cluster.StatusAsync(id)).Status.State);
    }

    [Fact]
    public async Task Whoever_waits_for_a_node_that_is_removed_is_told_so()
    {
        var id = await _cluster.JoinAsync();
        await _cluster.ChangeAsync(id, n => n.Spec.Membership = NodeSpec.Types.Membership.Pending);
        _cluster.Signer.Start();
        var waiting = _cluster.StatusAsync(id);

        await _cluster.Store.UpdateAsync(tx => tx.Remove<Node>(id));

        await RefusedAsync(StatusCode.NotFound, $"node {id} not found", () => waiting);
    }

    [Fact]
    public async Task Nobody_waits_longer_than_half_a_minute()
    {
        var id = await _cluster.JoinAsync();
        var waiting = _cluster.StatusAsync(id);

        _cluster.Time.Advance(NodeCertificateService.MaxWait);

        Assert.Equal(StatusCode.DeadlineExceeded, (await Assert.ThrowsAsync<RpcException>(() => waiting)).StatusCode);
        Assert.Equal(0, _cluster.Signer.Waiters.Count);
    }

    [Fact]
    public async Task Whoever_hangs_up_waits_no_longer()
    {
        var id = await _cluster.JoinAsync();
        using var hangUp = new CancellationTokenSource();
        var waiting = _cluster.Service.NodeCertificateStatus(
            new NodeCertificateStatusRequest { NodeId = id }, new FakeCall(CallerIdentity.Anonymous, ct: hangUp.Token));

        await hangUp.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting.WaitAsync(CertificateCluster.Patience));
        Assert.Equal(0, _cluster.Signer.Waiters.Count);
    }

    [Fact]
    public async Task A_question_about_nobody_is_refused()
    {
        await RefusedAsync(StatusCode.NotFound, "node unheard not found", () => _cluster.StatusAsync("unheard"));
        var refusal = await Assert.ThrowsAsync<RpcException>(() => _cluster.StatusAsync(""));
        Assert.Equal(StatusCode.InvalidArgument, refusal.StatusCode);
    }

    [Fact]
    public void Only_so_many_may_wait_at_once()
    {
        var waiters = new CertificateWaiters(2);
        var first = waiters.Enter("a");
        using var second = waiters.Enter("b");

        Assert.Null(waiters.Enter("c"));
        first!.Dispose();
        using var third = waiters.Enter("c");
        Assert.NotNull(third);
    }

    private static async Task RefusedAsync(StatusCode code, string words, Func<Task> call)
    {
        var refusal = await Assert.ThrowsAsync<RpcException>(call);
        Assert.Equal((code, words), (refusal.StatusCode, refusal.Status.Detail));
    }

    private Task<IssueNodeCertificateResponse> RenewAsync(string id, ByteString csr, bool isSkep = true) =>
        _cluster.Service.IssueNodeCertificate(
            new IssueNodeCertificateRequest { Csr = csr }, new FakeCall(CertificateCluster.Caller(id), isSkep));
}
