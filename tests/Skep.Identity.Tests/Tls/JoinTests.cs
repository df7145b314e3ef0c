using Docker.Swarmkit.V1;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Skep.Identity.Certificates;
using Skep.Identity.Files;
using Skep.Identity.Joining;
using Skep.Identity.Keys;
using Skep.Identity.Tests.Support;
using Skep.Identity.Tokens;

namespace Skep.Identity.Tests.Tls;

/// <summary>How a node gets its certificates, against a server on the loopback.</summary>
public sealed class JoinTests : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly TemporaryFolder _folder = new();
    private readonly TestCluster _cluster = new();
    private readonly ScriptedAuthority _authority;
    private readonly StateDirectory _state;
    private readonly NodeKeyFile _keys;
    private readonly JoinToken _token;
    private readonly FakeTimeProvider _time = new(TimeProvider.System.GetUtcNow());
    private TestServer? _server;

    public JoinTests()
    {
        _authority = new ScriptedAuthority(_cluster);
        _token = JoinToken.Generate(_cluster.Root);
        _authority.Token = _token.ToString();
        _state = new StateDirectory(_folder.Root);
        _keys = new NodeKeyFile(_state, TimeProvider.System);
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }

        _folder.Dispose();
    }

    [Fact]
    public async Task A_node_with_a_token_gets_a_certificate_and_keeps_it()
    {
        var identity = await JoinAsync(_token);

        Assert.Equal((_cluster.Id, NodeRole.Worker), (identity.ClusterId, identity.Role));
        var kept = NodeIdentityStore.Load(_state, _keys, TimeProvider.System.GetUtcNow())!;
        Assert.Equal(identity.NodeId, kept.NodeId);
        Assert.Equal(_cluster.Root.BundlePem, File.ReadAllBytes(_state.RootCertificate));
    }

    [Fact]
    public async Task A_request_says_that_the_node_is_Skeps_and_how_it_may_be_used()
    {
        await JoinAsync(_token, NodeSpec.Types.Availability.Drain);

        var (request, peer, mark) = _authority.Requests.Single();
        Assert.Equal(NodeSpec.Types.Availability.Drain, request.Availability);
        Assert.Equal(_token.ToString(), request.Token);
        Assert.Null(peer);
        Assert.Equal(SkepMark.Version, mark);
    }

    [Fact]
    public async Task A_token_of_another_cluster_is_noticed_before_it_is_shown()
    {
        var other = JoinToken.Generate(new TestCluster().Root);

        var refusal = await Assert.ThrowsAsync<JoinRefusedException>(() => JoinAsync(other));

        Assert.Equal(
            $"remote CA does not match fingerprint. Expected: {Convert.ToHexStringLower(other.RootDigest)}", refusal.Message);
        Assert.Empty(_authority.Requests);
        Assert.False(File.Exists(_state.RootCertificate));
    }

    [Fact]
    public async Task A_wrong_secret_is_refused_in_the_managers_words()
    {
        var refusal = await Assert.ThrowsAsync<JoinRefusedException>(() => JoinAsync(JoinToken.Generate(_cluster.Root)));

        Assert.Equal(
            "rpc error: code = InvalidArgument desc = A valid join token is necessary to join this cluster", refusal.Message);
        Assert.Equal(StatusCode.InvalidArgument, refusal.StatusCode);
        Assert.False(_keys.Exists);
    }

    [Fact]
    public async Task Without_a_token_the_manager_refuses()
    {
        var refusal = await Assert.ThrowsAsync<JoinRefusedException>(() => JoinAsync(null));

        Assert.Equal(StatusCode.InvalidArgument, refusal.StatusCode);
    }

    [Fact]
    public async Task A_manager_that_fails_is_asked_again_after_two_seconds()
    {
        _authority.NextFailure = new RpcException(new Status(StatusCode.Unavailable, "no leader"));
        var joining = JoinAsync(_token);

        await AdvanceUntilDoneAsync(joining, TimeSpan.FromSeconds(1));

        Assert.Equal(_cluster.Id, (await joining).ClusterId);
    }

    [Fact]
    public async Task Without_a_manager_a_node_tries_until_it_is_stopped()
    {
        using var stop = new CancellationTokenSource();
        var tries = 0;
        var client = Client(() =>
        {
            // The third time somebody loses patience.
            if (++tries == 3)
            {
                stop.Cancel();
            }

            return null;
        });
        var joining = client.JoinAsync(_token, NodeSpec.Types.Availability.Active, stop.Token);

        await AdvanceUntilDoneAsync(joining, TimeSpan.FromSeconds(1));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => joining);
        Assert.Equal(3, tries);
    }

    [Fact]
    public async Task A_certificate_for_another_request_is_not_taken()
    {
        var asked = 0;
        _authority.Status = _ => ++asked > 1 ? null : new NodeCertificateStatusResponse
        {
            Status = new IssuanceStatus { State = IssuanceStatus.Types.State.Issued },
            Certificate = new Certificate { Csr = Google.Protobuf.ByteString.CopyFromUtf8("another") },
        };
        var joining = JoinAsync(_token);

        await AdvanceUntilDoneAsync(joining, TimeSpan.FromSeconds(1));

        Assert.Equal(_cluster.Id, (await joining).ClusterId);
        Assert.Equal(2, asked);
        Assert.Equal(1, _authority.Issued);
    }

    [Fact]
    public async Task A_request_that_could_not_be_signed_is_over()
    {
        _authority.Status = _ => new NodeCertificateStatusResponse
        {
            Status = new IssuanceStatus { State = IssuanceStatus.Types.State.Failed, Err = "no ink" },
        };

        var refusal = await Assert.ThrowsAsync<JoinRefusedException>(() => JoinAsync(_token));
        Assert.Contains("no ink", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_node_renews_with_its_certificate_and_a_new_key()
    {
        var source = new NodeIdentitySource(await JoinAsync(_token));
        var before = source.Current;

        var renewed = await Client(() => _server!.Address).RenewAsync(source, Stop());

        Assert.Equal(before.NodeId, _authority.Requests.Last().Peer);
        Assert.Equal("", _authority.Requests.Last().Request.Token);
        Assert.Equal(before.NodeId, renewed.NodeId);
        Assert.NotEqual(before.Certificate.PublicKey.ExportSubjectPublicKeyInfo(), renewed.Certificate.PublicKey.ExportSubjectPublicKeyInfo());
        Assert.Same(renewed, source.Current);
        Assert.Equal(renewed.CertificatePem, _keys.ReadCertificate());
    }

    [Fact]
    public async Task A_renewal_brings_the_role_that_the_node_has_by_then()
    {
        var source = new NodeIdentitySource(await JoinAsync(_token));
        _authority.Role = NodeRole.Manager;

        Assert.Equal(NodeRole.Manager, (await Client(() => _server!.Address).RenewAsync(source, Stop())).Role);
    }

    [Fact]
    public async Task A_node_that_missed_a_change_of_roots_learns_it_when_it_renews()
    {
        var source = new NodeIdentitySource(await JoinAsync(_token));
        var next = RootCa.Create(TimeProvider.System);
        _authority.Signer = _authority.Shown = next;

        var renewed = await Client(() => _server!.Address).RenewAsync(source, Stop());

        Assert.Equal(next.BundlePem, renewed.Root.BundlePem);
        Assert.Equal(next.BundlePem, File.ReadAllBytes(_state.RootCertificate));
    }

    [Fact]
    public async Task A_node_that_was_removed_is_told_so_when_it_renews()
    {
        var source = new NodeIdentitySource(await JoinAsync(_token));
        _authority.NextFailure = new RpcException(new Status(StatusCode.NotFound, "node gone"));

        var refusal = await Assert.ThrowsAsync<JoinRefusedException>(() => Client(() => _server!.Address).RenewAsync(source, Stop()));
        Assert.Contains("node gone", refusal.Message, StringComparison.Ordinal);
    }

    private static CancellationToken Stop() => new CancellationTokenSource(Patience).Token;

    private NodeCertificateClient Client(Func<string?> pick) =>
        new(_state, _keys, pick, _time, NullLogger<NodeCertificateClient>.Instance);

    private async Task<NodeIdentity> JoinAsync(
        JoinToken? token, NodeSpec.Types.Availability availability = NodeSpec.Types.Availability.Active)
    {
        _server ??= await TestServer.StartAsync(
            new NodeIdentitySource(_cluster.Issue(NodeRole.Manager)),
            app =>
            {
                app.MapGrpcService<ScriptedAuthority.RootService>();
                app.MapGrpcService<ScriptedAuthority.NodeService>();
            },
            services => services.AddSingleton(_authority));
        return await Client(() => _server.Address).JoinAsync(token, availability, Stop());
    }

    // The client arms its timers on other threads, so time goes on until it is done.
    private async Task AdvanceUntilDoneAsync(Task task, TimeSpan step)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (!task.IsCompleted)
        {
            patience.Token.ThrowIfCancellationRequested();
            _time.Advance(step);
            await Task.WhenAny(task, Waiting(TimeSpan.FromMilliseconds(20)));
        }
    }

    private static async Task Waiting(TimeSpan upTo)
    {
        using var nothing = new SemaphoreSlim(0);
        await nothing.WaitAsync(upTo);
    }
}
