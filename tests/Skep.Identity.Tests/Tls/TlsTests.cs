using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using Docker.Swarmkit.V1;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Skep.Identity.Certificates;
using Skep.Identity.Tests.Support;
using Skep.Identity.Tls;

namespace Skep.Identity.Tests.Tls;

public sealed class TlsTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private readonly TestCluster _cluster = new();
    private readonly ScriptedAuthority _authority;

    public TlsTests() => _authority = new ScriptedAuthority(_cluster);

    [Fact]
    public async Task A_node_is_known_by_its_certificate()
    {
        await using var server = await StartAsync(_cluster.Issue(NodeRole.Manager));
        using var channel = ManagerChannel.As(new NodeIdentitySource(_cluster.Issue(NodeRole.Worker, "w1")), server.Address);

        await AskAsync(channel);

        Assert.Equal("w1", _authority.Requests.Single().Peer);
    }

    [Fact]
    public async Task After_a_renewal_the_same_channel_shows_the_new_certificate()
    {
        await using var server = await StartAsync(_cluster.Issue(NodeRole.Manager));
        var source = new NodeIdentitySource(_cluster.Issue(NodeRole.Worker, "w1"));
        using var channel = ManagerChannel.As(source, server.Address);
        await AskAsync(channel);

        source.Replace(_cluster.Issue(NodeRole.Worker, "w2"));
        await AskAsync(channel);

        Assert.Equal(["w1", "w2"], _authority.Requests.Select(r => r.Peer));
    }

    [Fact]
    public async Task After_a_renewal_the_same_listener_shows_the_new_certificate()
    {
        var source = new NodeIdentitySource(_cluster.Issue(NodeRole.Manager, "before"));
        await using var server = await StartAsync(source);
        Assert.Equal("before", await ServerNameAsync(server));

        source.Replace(_cluster.Issue(NodeRole.Manager, "after"));

        Assert.Equal("after", await ServerNameAsync(server));
    }

    [Fact]
    public async Task A_worker_cannot_pass_for_a_manager()
    {
        await using var server = await StartAsync(_cluster.Issue(NodeRole.Worker));
        using var channel = ManagerChannel.As(new NodeIdentitySource(_cluster.Issue(NodeRole.Worker)), server.Address);

        await Assert.ThrowsAsync<RpcException>(() => AskAsync(channel));
        Assert.Empty(_authority.Requests);
    }

    [Fact]
    public async Task A_manager_of_another_cluster_is_not_talked_to()
    {
        await using var server = await StartAsync(new TestCluster().Issue(NodeRole.Manager));
        using var channel = ManagerChannel.Joining(_cluster.Root, server.Address);

        await Assert.ThrowsAsync<RpcException>(() => AskAsync(channel));
        Assert.Empty(_authority.Requests);
    }

    [Fact]
    public async Task A_node_of_another_cluster_is_hung_up_on()
    {
        await using var server = await StartAsync(_cluster.Issue(NodeRole.Manager));
        var stranger = new TestCluster().Issue(NodeRole.Worker);
        var options = ClientTls.Joining(_cluster.Root);
        options.ClientCertificateContext = SslStreamCertificateContext.Create(stranger.Certificate, null, offline: true);

        // The server looks at the certificate last, so that a client learns of the refusal when it reads.
        Assert.Equal(0, await FirstBytesAsync(server, options));
    }

    [Fact]
    public async Task A_caller_without_a_certificate_gets_through_the_handshake()
    {
        await using var server = await StartAsync(_cluster.Issue(NodeRole.Manager));

        Assert.NotEqual(0, await FirstBytesAsync(server, ClientTls.Joining(_cluster.Root)));
    }

    [Theory]
    [InlineData(SslProtocols.Tls12, true)]
    [InlineData(SslProtocols.Tls13, true)]
#pragma warning disable CA5397, SYSLIB0039 // The older one is tried in order to be refused.
    [InlineData(SslProtocols.Tls11, false)]
#pragma warning restore CA5397, SYSLIB0039
    public async Task At_least_TLS_1_2_is_spoken(SslProtocols protocol, bool accepted)
    {
        await using var server = await StartAsync(_cluster.Issue(NodeRole.Manager));
        var options = ClientTls.Joining(_cluster.Root);
        options.EnabledSslProtocols = protocol;

        var failure = await Record.ExceptionAsync(() => HandshakeAsync(server, options));

        Assert.Equal(accepted, failure is null);
    }

    [Fact]
    public async Task HTTP_2_is_agreed_on()
    {
        await using var server = await StartAsync(_cluster.Issue(NodeRole.Manager));

        using var stream = await HandshakeAsync(server, ClientTls.Joining(_cluster.Root));

        Assert.Equal(SslApplicationProtocol.Http2, stream.NegotiatedApplicationProtocol);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task While_roots_change_both_sides_accept_certificates_under_the_new_root_by_way_of_the_old_one(bool asGoDoes)
    {
        var next = RootCa.Create(TimeProvider.System);
        var link = asGoDoes
            ? GoLink.Between(_cluster.Root, next)
            : _cluster.Root.CrossSign(next, TimeProvider.System.GetUtcNow());
        var signer = RootCa.ForSigning(_cluster.Root.BundlePem, next.BundlePem, next.SigningKeyPem, link);
        await using var server = await StartAsync(_cluster.Issue(NodeRole.Manager, signer: signer));
        using var channel = ManagerChannel.As(
            new NodeIdentitySource(_cluster.Issue(NodeRole.Worker, "w1", signer: signer)), server.Address);

        await AskAsync(channel);

        Assert.Equal("w1", _authority.Requests.Single().Peer);
    }

    [Fact]
    public async Task While_roots_change_a_worker_still_cannot_pass_for_a_manager()
    {
        var next = RootCa.Create(TimeProvider.System);
        var link = GoLink.Between(_cluster.Root, next);
        var signer = RootCa.ForSigning(_cluster.Root.BundlePem, next.BundlePem, next.SigningKeyPem, link);
        await using var server = await StartAsync(_cluster.Issue(NodeRole.Worker, signer: signer));
        using var channel = ManagerChannel.As(new NodeIdentitySource(_cluster.Issue(NodeRole.Worker)), server.Address);

        await Assert.ThrowsAsync<RpcException>(() => AskAsync(channel));
        Assert.Empty(_authority.Requests);
    }

    [Fact]
    public async Task A_manager_that_does_not_say_it_speaks_HTTP_2_is_spoken_to_all_the_same()
    {
        await using var server = await TestServer.StartAsync(
            new NodeIdentitySource(_cluster.Issue(NodeRole.Manager)),
            app => app.MapGrpcService<ScriptedAuthority.NodeService>(),
            s => s.AddSingleton(_authority),
            saysHttp2: false);
        using var channel = ManagerChannel.As(new NodeIdentitySource(_cluster.Issue(NodeRole.Worker, "w1")), server.Address);

        await AskAsync(channel);
        await AskAsync(channel);

        Assert.Equal(["w1", "w1"], _authority.Requests.Select(r => r.Peer));
    }

    [Theory]
    [InlineData("10.0.0.1:4242")]
    [InlineData("[::1]:4242")]
    [InlineData("manager-1.example:4242")]
    public void An_address_is_host_and_port(string address) => Assert.NotNull(ManagerChannel.ParseAddress(address));

    [Theory]
    [InlineData("")]
    [InlineData("10.0.0.1")]
    [InlineData(":4242")]
    [InlineData("10.0.0.1:0")]
    [InlineData("10.0.0.1:65536")]
    [InlineData("10.0.0.1:x")]
    [InlineData("host name:4242")]
    public void What_is_no_address_is_refused_and_says_how_one_looks(string address) => Assert.Contains(
        "expected host:port", Assert.Throws<FormatException>(() => ManagerChannel.ParseAddress(address)).Message, StringComparison.Ordinal);

    private static async Task<SslStream> HandshakeAsync(TestServer server, SslClientAuthenticationOptions options)
    {
        options.TargetHost = RoleNames.Authority;
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(ManagerChannel.ParseAddress(server.Address));
        var stream = new SslStream(new NetworkStream(socket, ownsSocket: true));
        await stream.AuthenticateAsClientAsync(options).WaitAsync(Patience);
        return stream;
    }

    // How much of the server's HTTP/2 settings arrives; nothing from a server that hangs up.
    private static async Task<int> FirstBytesAsync(TestServer server, SslClientAuthenticationOptions options)
    {
        try
        {
            using var stream = await HandshakeAsync(server, options);
            await stream.WriteAsync("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u0004\0\0\0\0\0"u8.ToArray());
            return await stream.ReadAsync(new byte[9]).AsTask().WaitAsync(Patience);
        }
        catch (Exception e) when (e is IOException or AuthenticationException)
        {
            return 0;
        }
    }

    private async Task<string> ServerNameAsync(TestServer server)
    {
        using var stream = await HandshakeAsync(server, ClientTls.Joining(_cluster.Root));
        return NodeSubject.Of((System.Security.Cryptography.X509Certificates.X509Certificate2)stream.RemoteCertificate!).NodeId;
    }

    private async Task AskAsync(ChannelBase channel) => await new NodeCA.NodeCAClient(channel).IssueNodeCertificateAsync(
        new IssueNodeCertificateRequest
        {
            Csr = Google.Protobuf.ByteString.CopyFrom(TestCluster.NewRequest().Csr),
            Token = _authority.Token,
        },
        deadline: DateTime.UtcNow + Patience);

    private Task<TestServer> StartAsync(NodeIdentity identity) => StartAsync(new NodeIdentitySource(identity));

    private Task<TestServer> StartAsync(NodeIdentitySource source) => TestServer.StartAsync(
        source, app => app.MapGrpcService<ScriptedAuthority.NodeService>(), s => s.AddSingleton(_authority));
}
