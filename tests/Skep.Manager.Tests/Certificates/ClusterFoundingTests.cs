using Docker.Swarmkit.V1;
using Google.Protobuf;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Skep.Identity;
using Skep.Identity.Authorization;
using Skep.Identity.Certificates;
using Skep.Identity.Files;
using Skep.Identity.Keys;
using Skep.Identity.Tokens;
using Skep.Manager.Certificates;
using Skep.Store;
using State = Docker.Swarmkit.V1.IssuanceStatus.Types.State;

namespace Skep.Manager.Tests.Certificates;

public sealed class ClusterFoundingTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("skep-founding-").FullName;
    private readonly ClusterStore _store = new(TimeProvider.System);
    private readonly StateDirectory _state;
    private readonly NodeKeyFile _keys;

    public ClusterFoundingTests()
    {
        _state = new StateDirectory(_folder);
        _keys = new NodeKeyFile(_state, TimeProvider.System);
    }

    private string RootKey => Path.Combine(_state.CertificatesFolder, "swarm-root-ca.key");

    public void Dispose()
    {
        _store.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task A_founder_is_a_manager_of_a_cluster_with_SwarmKits_defaults()
    {
        var founder = Found();
        await CompleteAsync(founder);

        var cluster = _store.Read(ClusterObject.Find)!;
        Assert.Equal(founder.ClusterId, cluster.Id);
        Assert.Equal(5, cluster.Spec.Orchestration.TaskHistoryRetentionLimit);
        Assert.Equal(TimeSpan.FromSeconds(5), cluster.Spec.Dispatcher.HeartbeatPeriod.ToTimeSpan());
        Assert.Equal(TimeSpan.FromHours(2160), cluster.Spec.CaConfig.NodeCertExpiry.ToTimeSpan());
        Assert.False(cluster.Spec.EncryptionConfig.AutoLockManagers);
        Assert.Equal(founder.Root.DigestText, cluster.RootCa.CaCertHash);
        Assert.Equal(founder.Root.Digest, JoinToken.Parse(cluster.RootCa.JoinTokens.Worker).RootDigest);
        Assert.Equal(founder.Root.Digest, JoinToken.Parse(cluster.RootCa.JoinTokens.Manager).RootDigest);
        Assert.NotEqual(cluster.RootCa.JoinTokens.Worker, cluster.RootCa.JoinTokens.Manager);
        Assert.All(["networking:gossip", "networking:ipsec"], s => Assert.Single(cluster.NetworkBootstrapKeys, k => k.Subsystem == s));
        Assert.All(cluster.NetworkBootstrapKeys, k => Assert.Equal(16, k.Key.Length));
    }

    [Fact]
    public async Task The_founders_node_has_its_certificate_without_having_asked()
    {
        var founder = Found();
        await CompleteAsync(founder);

        var node = _store.Read(v => v.Get<Node>(founder.NodeId))!;
        Assert.Equal((NodeRole.Manager, NodeRole.Manager), (node.Role, node.Spec.DesiredRole));
        Assert.Equal(State.Issued, node.Certificate.Status.State);
        Assert.True(node.Certificate.Csr.IsEmpty);
    }

    [Fact]
    public async Task A_manager_that_was_off_past_the_end_of_its_certificate_signs_a_new_one_for_itself()
    {
        var founder = Found();
        await CompleteAsync(founder);
        var later = new FakeTimeProvider(founder.Certificate.NotAfter.AddDays(1));
        var source = new NodeIdentitySource(NodeIdentityStore.Load(_state, _keys, later.GetUtcNow(), allowExpired: true)!);

        Assert.True(OwnCertificate.RenewIfOver(_store, _keys, source, later));

        Assert.Equal(founder.Subject, source.Current.Subject);
        Assert.Equal(source.Current.Certificate.Thumbprint, NodeIdentityStore.Load(_state, _keys, later.GetUtcNow())!.Certificate.Thumbprint);
        Assert.False(OwnCertificate.RenewIfOver(_store, _keys, source, later));
    }

    [Fact]
    public async Task The_root_key_leaves_the_disk_when_it_is_in_the_cluster()
    {
        var founder = Found();
        Assert.Equal(WholeFile.Secret, File.GetUnixFileMode(RootKey));

        await CompleteAsync(founder);

        Assert.False(File.Exists(RootKey));
        Assert.True(ClusterObject.SigningRoot(_store.Read(ClusterObject.Find)!.RootCa).CanSign);
    }

    [Fact]
    public async Task A_founder_that_stopped_halfway_founds_the_same_cluster_when_it_is_back()
    {
        var founder = Found();

        var back = NodeIdentityStore.Load(_state, new NodeKeyFile(_state, TimeProvider.System), TimeProvider.System.GetUtcNow())!;
        await CompleteAsync(back);

        Assert.Equal(founder.ClusterId, _store.Read(ClusterObject.Find)!.Id);
        Assert.Equal(founder.Root.DigestText, _store.Read(ClusterObject.Find)!.RootCa.CaCertHash);
    }

    [Fact]
    public void A_founder_that_stopped_before_its_own_certificate_keeps_the_root()
    {
        var first = Found();
        File.Delete(_state.NodeKey);
        File.Delete(_state.NodeCertificate);

        Assert.Equal(first.Root.DigestText, Found().Root.DigestText);
    }

    [Fact]
    public async Task Completing_twice_changes_nothing()
    {
        var founder = Found();
        await CompleteAsync(founder);
        var version = _store.Version;

        await CompleteAsync(founder);

        Assert.Equal(version, _store.Version);
    }

    [Fact]
    public async Task A_log_without_a_cluster_and_a_disk_without_a_root_key_is_named()
    {
        var founder = Found();
        File.Delete(RootKey);

        var refusal = await Assert.ThrowsAsync<CertificateException>(() => CompleteAsync(founder));
        Assert.Contains(_state.CertificatesFolder, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_unlock_key_is_shown_only_while_autolock_is_on()
    {
        var unlockKey = UnlockKey.Generate();
        await CompleteAsync(Found(), new FoundingSettings { UnlockKey = unlockKey });
        var service = new CertificateAuthorityService(_store, () => throw new InvalidOperationException());

        var locked = await service.GetUnlockKey(new GetUnlockKeyRequest(), new FakeCall(CallerIdentity.Anonymous));
        await ChangeAsync(c => c.Spec.EncryptionConfig.AutoLockManagers = false);
        var open = await service.GetUnlockKey(new GetUnlockKeyRequest(), new FakeCall(CallerIdentity.Anonymous));

        Assert.Equal(unlockKey, locked.UnlockKey.ToByteArray());
        Assert.True(open.UnlockKey.IsEmpty);
        Assert.True(open.Version.Index > locked.Version.Index);
    }

    [Fact]
    public async Task The_root_CA_is_shown_byte_by_byte_even_before_there_is_a_cluster_object()
    {
        var founder = Found();
        var service = new CertificateAuthorityService(_store, () => founder.Root);
        var call = new FakeCall(CallerIdentity.Anonymous);

        var before = await service.GetRootCACertificate(new GetRootCACertificateRequest(), call);
        await CompleteAsync(founder);
        var after = await service.GetRootCACertificate(new GetRootCACertificateRequest(), call);

        Assert.Equal(founder.Root.BundlePem, before.Certificate.ToByteArray());
        Assert.Equal(before, after);
    }

    [Fact]
    public async Task A_managers_key_file_follows_the_clusters_lock()
    {
        await CompleteAsync(Found());
        _keys.WriteDataKeys(DataKeys.Generate());
        await using var follower = new ManagerLock(_store, static _ => Task.FromResult(true), _keys, TimeProvider.System, NullLogger<ManagerLock>.Instance);
        follower.Start();
        var unlockKey = UnlockKey.Generate();

        await ChangeAsync(c =>
        {
            c.Spec.EncryptionConfig.AutoLockManagers = true;
            c.UnlockKeys.Add(new EncryptionKey { Subsystem = "swarm-manager", Key = ByteString.CopyFrom(unlockKey) });
        });
        await UntilAsync(() => _keys.KeyEncryptionKey.Locks, "the key file was not locked");
        Assert.Throws<KeyLockedException>(() => new NodeKeyFile(_state, TimeProvider.System).Read());
        Assert.NotNull(new NodeKeyFile(_state, TimeProvider.System, unlockKey).Read().DataKeys.Current);

        await ChangeAsync(c => c.Spec.EncryptionConfig.AutoLockManagers = false);
        await UntilAsync(() => !_keys.KeyEncryptionKey.Locks, "the key file was not unlocked");
        Assert.NotNull(new NodeKeyFile(_state, TimeProvider.System).Read().DataKeys.Current);
    }

    private static async Task UntilAsync(Func<bool> condition, string otherwise)
    {
        using var pause = new SemaphoreSlim(0);
        for (var i = 0; i < 2_000 && !condition(); i++)
        {
            await pause.WaitAsync(TimeSpan.FromMilliseconds(10));
        }

        Assert.True(condition(), otherwise);
    }

    private NodeIdentity Found() => ClusterFounding.Found(_state, _keys, TimeProvider.System);

    private Task CompleteAsync(NodeIdentity founder, FoundingSettings? settings = null) =>
        ClusterFounding.CompleteAsync(_store, _state, founder, settings ?? new(), CancellationToken.None);

    private async Task ChangeAsync(Action<Cluster> change) => await _store.UpdateAsync(tx =>
    {
        var cluster = ClusterObject.Find(tx)!.Clone();
        change(cluster);
        tx.Update(cluster);
    });
}
