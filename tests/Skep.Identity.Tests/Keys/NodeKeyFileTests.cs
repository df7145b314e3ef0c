using System.Text;
using Docker.Swarmkit.V1;
using Skep.Identity.Certificates;
using Skep.Identity.Files;
using Skep.Identity.Keys;
using Skep.Identity.Tests.Support;
using Skep.Identity.Tokens;

namespace Skep.Identity.Tests.Keys;

public sealed class NodeKeyFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly StateDirectory _state;
    private readonly TestCluster _cluster = new();

    public NodeKeyFileTests() => _state = new StateDirectory(_folder.Root);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_key_is_PKCS8_for_its_owner_alone_with_the_version_of_its_lock()
    {
        WriteNew(Open());

        Assert.StartsWith("-----BEGIN PRIVATE KEY-----\nkek-version: 0\n\n", File.ReadAllText(_state.NodeKey), StringComparison.Ordinal);
        Assert.Equal(WholeFile.Secret, File.GetUnixFileMode(_state.NodeKey));
        Assert.Equal(WholeFile.Public, File.GetUnixFileMode(_state.NodeCertificate));
    }

    [Fact]
    public void An_unlock_key_given_for_a_file_that_is_not_locked_counts_for_nothing()
    {
        WriteNew(Open());
        var file = new NodeKeyFile(_state, TimeProvider.System, UnlockKey.Generate());

        file.Read();

        Assert.False(file.KeyEncryptionKey.Locks);
        Assert.False(file.Rewrap(new KeyEncryptionKey(null, file.KeyEncryptionKey.Version)));
    }

    [Fact]
    public void What_is_written_is_read_again()
    {
        var (certificate, key) = WriteNew(Open());

        var again = Open();
        Assert.Equal(certificate, again.ReadCertificate());
        Assert.Equal(key.Trim(), Encoding.ASCII.GetString(again.Read().PrivateKeyPem).Trim());
        Assert.Equal(DataKeys.None, again.Read().DataKeys);
    }

    [Fact]
    public void Data_keys_live_in_the_headers_and_survive_a_renewal()
    {
        var file = Open();
        WriteNew(file);
        var keys = DataKeys.Generate() with { Pending = DataKeys.Generate().Current };
        file.WriteDataKeys(keys);
        var (certificate, _) = WriteNew(file);

        var read = Open().Read().DataKeys;
        Assert.Equal(keys.Current, read.Current);
        Assert.Equal(keys.Pending, read.Pending);
        Assert.Equal(certificate, Open().ReadCertificate());
        Assert.Matches("(?m)^raft-dek: ", File.ReadAllText(_state.NodeKey));
    }

    [Fact]
    public void Stopped_between_key_and_certificate_the_new_pair_is_found()
    {
        WriteNew(Open());
        var oldCertificate = File.ReadAllBytes(_state.NodeCertificate);
        var (certificate, _) = WriteNew(Open());

        // As it is when the machine stops after the key and before the last rename.
        File.Move(_state.NodeCertificate, Path.Combine(_state.CertificatesFolder, ".swarm-node.crt"));
        File.WriteAllBytes(_state.NodeCertificate, oldCertificate);

        Assert.Equal(certificate, Open().ReadCertificate());
        Assert.Equal(certificate, File.ReadAllBytes(_state.NodeCertificate));
    }

    [Fact]
    public void Stopped_before_the_key_the_old_pair_is_found()
    {
        var (certificate, _) = WriteNew(Open());
        File.WriteAllBytes(Path.Combine(_state.CertificatesFolder, ".swarm-node.crt"), _cluster.Issue(NodeRole.Worker).CertificatePem);

        Assert.Equal(certificate, Open().ReadCertificate());
    }

    [Fact]
    public void A_certificate_that_is_not_the_keys_is_refused_and_named()
    {
        WriteNew(Open());
        File.WriteAllBytes(_state.NodeCertificate, _cluster.Issue(NodeRole.Worker).CertificatePem);

        var refusal = Assert.Throws<CertificateException>(() => Open().ReadCertificate());
        Assert.Contains(_state.NodeCertificate, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Locking_hides_key_and_data_keys_and_calls_for_new_data_keys()
    {
        var file = Open();
        var (_, key) = WriteNew(file);
        var dataKeys = DataKeys.Generate();
        file.WriteDataKeys(dataKeys);
        var unlockKey = UnlockKey.Generate();

        Assert.True(file.Rewrap(new KeyEncryptionKey(unlockKey, 7)));

        var text = File.ReadAllText(_state.NodeKey);
        Assert.StartsWith("-----BEGIN ENCRYPTED PRIVATE KEY-----\nkek-version: 7\n", text, StringComparison.Ordinal);
        Assert.DoesNotContain(Convert.ToBase64String(dataKeys.Current!)[..20], text, StringComparison.Ordinal);
        var read = Open(unlockKey).Read();
        Assert.Equal(key.Trim(), Encoding.ASCII.GetString(read.PrivateKeyPem).Trim());
        Assert.Equal(dataKeys.Current, read.DataKeys.Current);
        Assert.True(read.DataKeys.NeedsRotation);
    }

    [Fact]
    public void A_locked_key_needs_the_right_unlock_key()
    {
        var file = Open();
        WriteNew(file);
        file.Rewrap(new KeyEncryptionKey(UnlockKey.Generate(), 7));

        Assert.Throws<KeyLockedException>(() => Open().Read());
        Assert.Throws<KeyLockedException>(() => Open(UnlockKey.Generate()).Read());
    }

    [Fact]
    public void Unlocking_for_good_leaves_the_key_open_again()
    {
        var file = Open();
        WriteNew(file);
        file.Rewrap(new KeyEncryptionKey(UnlockKey.Generate(), 7));

        Assert.True(file.Rewrap(new KeyEncryptionKey(null, 8)));

        Assert.StartsWith("-----BEGIN PRIVATE KEY-----\nkek-version: 8\n", File.ReadAllText(_state.NodeKey), StringComparison.Ordinal);
        Assert.NotEmpty(Open().Read().PrivateKeyPem);
    }

    [Fact]
    public void An_older_unlock_key_never_replaces_a_newer_one()
    {
        var file = Open();
        WriteNew(file);
        file.Rewrap(new KeyEncryptionKey(UnlockKey.Generate(), 7));

        Assert.False(file.Rewrap(new KeyEncryptionKey(UnlockKey.Generate(), 6)));
        Assert.Throws<InvalidOperationException>(() => file.Rewrap(new KeyEncryptionKey(UnlockKey.Generate(), 7)));
    }

    [Fact]
    public void Another_unlock_key_calls_for_new_data_keys_too_and_none_does_not()
    {
        var file = Open();
        WriteNew(file);
        file.WriteDataKeys(DataKeys.Generate());
        file.Rewrap(new KeyEncryptionKey(UnlockKey.Generate(), 7));
        file.ChangeDataKeys(static k => k.BeginChange());
        file.ChangeDataKeys(static k => k.EndChange());
        Assert.False(file.Read().DataKeys.NeedsRotation);

        var rewrapped = file.Rewrapped;
        Assert.True(file.Rewrap(new KeyEncryptionKey(UnlockKey.Generate(), 8)));
        Assert.True(rewrapped.IsCompletedSuccessfully);
        Assert.True(file.Read().DataKeys.NeedsRotation);

        file.ChangeDataKeys(static k => k.BeginChange());
        file.ChangeDataKeys(static k => k.EndChange());
        Assert.True(file.Rewrap(new KeyEncryptionKey(null, 9)));
        Assert.False(file.Read().DataKeys.NeedsRotation);
    }

    [Fact]
    public void A_change_of_data_keys_keeps_both_until_it_is_done()
    {
        var file = Open();
        WriteNew(file);
        file.WriteDataKeys(DataKeys.Generate());
        var old = file.Read().DataKeys.Current;
        file.Rewrap(new KeyEncryptionKey(UnlockKey.Generate(), 7));

        var begun = file.ChangeDataKeys(static k => k.BeginChange());
        Assert.Equal(old, begun.Current);
        Assert.False(begun.NeedsRotation);
        Assert.Equal(begun.Pending, begun.Writing);
        Assert.Equal(old, Assert.Single(begun.Older).ToArray());
        Assert.Same(begun, begun.BeginChange());

        // Locked anew meanwhile: the pending one has to go as well, once it is in use.
        file.Rewrap(new KeyEncryptionKey(UnlockKey.Generate(), 8));
        var ended = file.ChangeDataKeys(static k => k.EndChange());
        Assert.Equal(begun.Pending, ended.Current);
        Assert.True(ended is { Pending: null, NeedsRotation: true, Older: [] });
    }

    [Fact]
    public void A_manager_that_is_a_worker_again_has_nothing_locked_and_can_be_locked_under_the_same_version_later()
    {
        var file = Open();
        var (_, key) = WriteNew(file);
        file.WriteDataKeys(DataKeys.Generate());
        var unlockKey = UnlockKey.Generate();
        file.Rewrap(new KeyEncryptionKey(unlockKey, 7));
        Assert.True(Open().IsLocked);

        Assert.True(file.ForgetManager());
        Assert.False(file.ForgetManager());
        Assert.False(Open().IsLocked);
        Assert.Equal(key.Trim(), Encoding.ASCII.GetString(Open().Read().PrivateKeyPem).Trim());
        Assert.Equal(DataKeys.None, Open().Read().DataKeys);

        file.WriteDataKeys(DataKeys.Generate());
        Assert.True(file.Rewrap(new KeyEncryptionKey(unlockKey, 7)));
        Assert.True(Open().IsLocked);
    }

    [Fact]
    public void Openssl_reads_the_key_once_the_headers_are_taken_off()
    {
        WriteNew(Open());
        var bare = File.ReadAllText(_state.NodeKey).Replace("kek-version: 0\n\n", "", StringComparison.Ordinal);

        Assert.Contains("ASN1 OID: prime256v1", OpenSsl.Run(Encoding.ASCII.GetBytes(bare), "ec", "-noout", "-text"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("-----BEGIN PRIVATE KEY-----\n")]
    [InlineData("-----BEGIN PRIVATE KEY-----\nkek-version: 0\n\n????\n-----END PRIVATE KEY-----\n")]
    [InlineData("-----BEGIN PRIVATE KEY-----\nraft-dek: AAAA\n\nAAAA\n-----END PRIVATE KEY-----\n")]
    public void A_damaged_key_file_is_named(string content)
    {
        _state.Create();
        File.WriteAllText(_state.NodeKey, content);

        var refusal = Assert.Throws<CertificateException>(() => Open().Read());
        Assert.Contains(_state.NodeKey, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_new_node_has_no_identity() =>
        Assert.Null(NodeIdentityStore.Load(_state, Open(), TimeProvider.System.GetUtcNow()));

    [Fact]
    public void An_identity_comes_back_from_disk()
    {
        NodeIdentityStore.SaveRoot(_state, _cluster.Root);
        WriteNew(Open());

        var identity = NodeIdentityStore.Load(_state, Open(), TimeProvider.System.GetUtcNow())!;

        Assert.Equal((_cluster.Id, NodeRole.Manager), (identity.ClusterId, identity.Role));
        Assert.False(identity.Root.CanSign);
        Assert.DoesNotContain("PRIVATE", File.ReadAllText(_state.RootCertificate), StringComparison.Ordinal);
    }

    private NodeKeyFile Open(byte[]? unlockKey = null) => new(_state, TimeProvider.System, unlockKey);

    private (byte[] Certificate, string Key) WriteNew(NodeKeyFile file)
    {
        var (csr, key) = TestCluster.NewRequest();
        var now = TimeProvider.System.GetUtcNow();
        var certificate = _cluster.Root.Sign(csr, "node", NodeRole.Manager, _cluster.Id, TimeSpan.FromHours(1), now);
        file.Write(certificate, key);
        return (certificate, Encoding.ASCII.GetString(key));
    }
}
