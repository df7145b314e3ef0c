using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Skep.Acceptance.Harness;
using Skep.Coordination.Client;
using Skep.Jute;

namespace Skep.Acceptance.Coordination;

/// <summary>A manager that serves by TLS: with the cluster's certificates, and with its owner's.</summary>
public sealed class Clients_by_TLS : IAsyncDisposable
{
    private static readonly TimeSpan Refusal = TimeSpan.FromSeconds(1);
    private readonly SkepCluster cluster = new();
    private readonly string server = $"127.0.0.1:{SkepCluster.FreePort()}";

    public async ValueTask DisposeAsync()
    {
        if (TestContext.Current.TestState?.Result == TestResult.Failed)
        {
            TestContext.Current.TestOutputHelper?.WriteLine(await cluster.LogsAsync());
        }
        await cluster.DisposeAsync();
    }

    [Fact]
    public async Task With_the_clusters_certificates_a_node_is_who_its_own_says_and_a_manager_may_do_all()
    {
        await cluster.FoundAsync("--coordination", server, "--coordination-tls");
        cluster.Join("node-2", await cluster.WorkerTokenAsync());
        await cluster.ReadyAsync(2);
        Daemon worker = cluster.Daemons[1];
        string root = Path.Combine(cluster.Manager.StateDirectory, "certificates", "swarm-root-ca.crt");

        await using CoordinationClient anybody = await ConnectAsync(root);
        Assert.Equal(["ip:127.0.0.1"], await WhoIsAsync(anybody));
        Assert.Matches($"^server\\.1={cluster.Address}:.*:participant\nversion=", Encoding.UTF8.GetString((await anybody.GetConfigAsync()).Data.Span));
        await NotAllowedAsync(() => anybody.CreateAsync("/skep/mine"));

        (string certificate, string key) = FilesOf(worker);
        using NodeCertificate shown = NodeCertificate.Of(worker);
        string subject = $"CN={shown.NodeId},OU=swarm-worker,O={shown.ClusterId}";
        Assert.Equal($"x509:{subject}\nhoney\n", (await Judges.KazooAsync("tls.py", server, "/of-the-worker", root, certificate, key)).Ok);
        Assert.Equal("refused\n", (await Judges.KazooAsync("tls.py", server, "/of-the-worker", root)).Ok);
        await using CoordinationClient asWorker = await ConnectAsync(root, certificate, key);
        Assert.Equal(["ip:127.0.0.1", $"x509:{subject}"], await WhoIsAsync(asWorker));
        await NotAllowedAsync(() => asWorker.CreateAsync("/skep/mine"));

        (certificate, key) = FilesOf(cluster.Manager);
        await using CoordinationClient asManager = await ConnectAsync(root, certificate, key);
        Assert.Contains("super:manager", await WhoIsAsync(asManager));
        Assert.Equal("honey", Encoding.UTF8.GetString((await asManager.GetDataAsync("/of-the-worker")).Data.Span));

        // By the files as they lie in the state directory, which hold more than a key.
        string own = Path.Combine(cluster.Manager.StateDirectory, "certificates", "swarm-node");
        await cluster.OkAsync("coordination", "create", "/skep/mine", "x", "--server", server, "--tls-ca", root, "--tls-server-name", "swarm-manager", "--tls-cert", own + ".crt", "--tls-key", own + ".key");
        Assert.Equal("x", Encoding.UTF8.GetString((await anybody.GetDataAsync("/skep/mine")).Data.Span));
    }

    [Fact]
    public async Task With_ones_own_certificates_whoever_the_authority_signed_is_known_others_are_refused_and_nobody_else_notices()
    {
        using var own = new Certificates(cluster.Folder, "hive");
        using var other = new Certificates(cluster.Folder, "wasps");
        (string certificate, string key) = own.Sign("CN=localhost");
        await cluster.FoundAsync("--coordination", server, "--coordination-tls-cert", certificate, "--coordination-tls-key", key, "--coordination-tls-ca", own.AuthorityFile);
        string authority = own.AuthorityFile;
        await using CoordinationClient steady = await ConnectAsync(authority);
        Assert.Equal(["ip:127.0.0.1"], await WhoIsAsync(steady));
        Task<List<ConnectionState>> states = StatesAsync(steady);

        (string bee, string beesKey) = own.Sign("CN=bee, O=\"Acme, Inc.\"");
        Assert.Equal("x509:CN=bee,O=Acme\\, Inc.\nhoney\n", (await Judges.KazooAsync("tls.py", server, "/of-the-bee", authority, bee, beesKey)).Ok);
        Assert.Equal("refused\n", (await Judges.KazooAsync("tls.py", server, "/of-the-bee", authority)).Ok);

        (string wasp, string waspsKey) = other.Sign("CN=bee, O=\"Acme, Inc.\"");
        await RefusedAsync(authority, wasp, waspsKey);
        (string manager, string managersKey) = FilesOf(cluster.Manager);
        await RefusedAsync(authority, manager, managersKey);
        await ClosedAsync([0, 0, 0, 44, .. new byte[44]]);
        await ClosedAsync("GET / HTTP/1.1\r\n\r\n"u8.ToArray());

        await steady.CreateAsync("/goes-on");
        await steady.CloseAsync();
        Assert.Equal([ConnectionState.Connected, ConnectionState.Closed], await states);
    }

    private static async Task<List<ConnectionState>> StatesAsync(CoordinationClient client)
    {
        var states = new List<ConnectionState>();
        await foreach (ConnectionState state in client.StateChanges)
        {
            states.Add(state);
        }
        return states;
    }

    private static async Task NotAllowedAsync(Func<Task> call) => Assert.Equal(ErrorCode.NoAuth, (await Assert.ThrowsAsync<CoordinationException>(call)).ErrorCode);

    private Task<CoordinationClient> ConnectAsync(string root, string? certificate = null, string? key = null, TimeSpan? patience = null)
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.ImportFromPemFile(root);
        bool isClusters = root.EndsWith("swarm-root-ca.crt", StringComparison.Ordinal);
        var tls = new SslClientAuthenticationOptions { CertificateChainPolicy = policy, TargetHost = isClusters ? "swarm-manager" : null };
        if (certificate is not null)
        {
            tls.ClientCertificateContext = SslStreamCertificateContext.Create(X509Certificate2.CreateFromPemFile(certificate, key), null, offline: true);
        }
        return CoordinationClient.ConnectAsync(new CoordinationClientOptions { Servers = [server], Tls = tls, ConnectTimeout = patience ?? TimeSpan.FromSeconds(20) }, TestContext.Current.CancellationToken);
    }

    private async Task RefusedAsync(string root, string certificate, string key) =>
        await Assert.ThrowsAsync<ConnectionLossException>(() => ConnectAsync(root, certificate, key, Refusal));

    // One that speaks no TLS is told nothing of what is served here.
    private async Task ClosedAsync(byte[] opening)
    {
        using var client = new TcpClient();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(5));
        string[] parts = server.Split(':');
        await client.ConnectAsync(parts[0], int.Parse(parts[1], System.Globalization.CultureInfo.InvariantCulture), patience.Token);
        await client.GetStream().WriteAsync(opening, patience.Token);
        var said = new MemoryStream();
        try
        {
            await client.GetStream().CopyToAsync(said, patience.Token);
        }
        catch (IOException)
        {
            // Reset: what it sent was not all read.
        }
        Assert.InRange(said.Length, 0, 7);
    }

    private static async Task<string[]> WhoIsAsync(CoordinationClient client) => [.. (await client.WhoAmIAsync()).Select(static i => $"{i.AuthScheme}:{i.User}")];

    private (string Certificate, string Key) FilesOf(Daemon node)
    {
        using NodeCertificate shown = NodeCertificate.Of(node);
        return shown.Export(Path.Combine(cluster.Folder, node.Name + "-shown"));
    }
}
