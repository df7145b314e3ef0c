using System.Security.Cryptography;
using System.Text;
using Docker.Swarmkit.V1;
using Microsoft.Extensions.Logging.Abstractions;
using Skep.Identity;
using Skep.Identity.Certificates;
using Skep.Identity.Files;
using Skep.Identity.Keys;
using Skep.Manager.Certificates;

namespace Skep.Node.Tests.Starting;

/// <summary><c>--force-new-cluster</c> where there is nothing that could be forced.</summary>
public sealed class Forcing_a_new_cluster : IDisposable
{
    private readonly string _folder = Path.Combine(Path.GetTempPath(), "skep-force-" + Path.GetRandomFileName());

    [Fact]
    public async Task Without_a_state_directory_none_is_made()
    {
        Assert.StartsWith($"--force-new-cluster: there is no manager in {_folder};", await RefusalAsync(), StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder));
    }

    [Fact]
    public async Task A_workers_directory_is_refused()
    {
        var state = new StateDirectory(_folder);
        var root = RootCa.Create(TimeProvider.System);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        byte[] keyPem = Encoding.ASCII.GetBytes(key.ExportPkcs8PrivateKeyPem());
        NodeIdentityStore.SaveRoot(state, root);
        new NodeKeyFile(state, TimeProvider.System).Write(
            root.Sign(SigningRequest.Create(key), "node1", NodeRole.Worker, "cluster1", CertificateProfile.DefaultExpiry, TimeProvider.System.GetUtcNow()), keyPem);

        Assert.StartsWith($"--force-new-cluster: {_folder} is a worker's, which holds nothing", await RefusalAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_manager_without_a_log_is_refused()
    {
        var state = new StateDirectory(_folder);
        ClusterFounding.Found(state, new NodeKeyFile(state, TimeProvider.System), TimeProvider.System);

        Assert.StartsWith($"--force-new-cluster: there is no log in {Path.Combine(_folder, "raft")}", await RefusalAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_locked_manager_wants_its_key()
    {
        var state = new StateDirectory(_folder);
        var keys = new NodeKeyFile(state, TimeProvider.System);
        ClusterFounding.Found(state, keys, TimeProvider.System);
        keys.Rewrap(new KeyEncryptionKey(new byte[32], 1));

        Assert.StartsWith("this manager is locked", await RefusalAsync(), StringComparison.Ordinal);
    }

    public void Dispose()
    {
        if (Directory.Exists(_folder))
        {
            Directory.Delete(_folder, recursive: true);
        }
    }

    private async Task<string> RefusalAsync()
    {
        var options = new NodeOptions { StateDirectory = _folder, ForceNewCluster = true, ControlSocket = Path.Combine(_folder, "no.sock"), RemoteApi = "127.0.0.1:1" };
        var host = new NodeHost(options, NullLoggerFactory.Instance, TimeProvider.System);
        return (await Assert.ThrowsAsync<NodeStartException>(() => host.RunAsync(TestContext.Current.CancellationToken))).Message;
    }
}
