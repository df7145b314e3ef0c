using Docker.Swarmkit.V1;
using Microsoft.Extensions.Logging.Abstractions;
using Skep.Api.Backups;
using Skep.Identity;
using Skep.Identity.Certificates;
using Skep.Identity.Files;
using Skep.Identity.Keys;
using Skep.Identity.Tokens;
using Skep.Manager.Certificates;
using Skep.Node.Managers;
using Skep.Node.Recovery;
using Skep.Store;
using Skep.Store.Backups;
using Skep.Store.Durability;

namespace Skep.Node.Tests.Starting;

/// <summary>A state directory made from a backup, or left as it was.</summary>
public sealed class Restoring_a_backup : IDisposable
{
    private const string OldManager = "old000000000000000000000a1";
    private static readonly byte[] Key = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly string _folder = Directory.CreateTempSubdirectory("skep-restore-").FullName;
    private readonly RootCa _root = RootCa.Create(TimeProvider.System);
    private readonly ClusterStore _store = new(TimeProvider.System);

    public Restoring_a_backup()
    {
        _store.UpdateAsync(tx =>
        {
            tx.Create(FirstCluster.Create("cluster000000000000000000", _root, new() { UnlockKey = Key }));
            tx.Create(FirstCluster.CreateManager(OldManager, new()));
        }).Wait();
        for (int i = 0; i < 5; i++)
        {
            _store.UpdateAsync(tx => tx.Create(new Config { Id = $"config{i}", Spec = new() { Annotations = new() { Name = $"config{i}" } } })).Wait();
        }
        Write(File, BackupSecret.UnlockKey(Key));
    }

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private string File => Path.Combine(_folder, "backup");

    private StateDirectory State => new(Path.Combine(_folder, "state"));

    [Fact]
    public async Task The_cluster_goes_on_with_the_same_objects_under_the_same_versions_and_writes_behind_them()
    {
        byte[]? unlockKey = await RestoreAsync(Options());

        Assert.Equal(Key, unlockKey);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, System.IO.File.GetUnixFileMode(State.NodeKey));
        Assert.Throws<KeyLockedException>(() => new NodeKeyFile(State, TimeProvider.System).Read());
        var keys = new NodeKeyFile(State, TimeProvider.System, unlockKey);
        NodeIdentity identity = NodeIdentityStore.Load(State, keys, DateTimeOffset.UtcNow)!;
        Assert.Equal(("cluster000000000000000000", NodeRole.Manager), (identity.ClusterId, identity.Role));
        Assert.NotEqual(OldManager, identity.NodeId);
        Assert.Equal(_root.Digest, identity.Root.Digest);

        await using DurableStore store = await DurableStore.OpenAsync(
            new DurableStoreOptions
            {
                StateDirectory = State.Root,
                MemberId = MemberFile.Read(State, identity.NodeId)!.Value,
                Founds = true,
                Address = "127.0.0.1:4242",
                DataKey = keys.Read().DataKeys.Current!,
            },
            Cancelled);
        await store.UntilLeadingAsync(Cancelled).WaitAsync(Patience, Cancelled);
        Assert.Equal(
            _store.Read(v => v.List<Config>().OrderBy(c => c.Id, StringComparer.Ordinal).ToList()),
            store.Store.Read(v => v.List<Config>().OrderBy(c => c.Id, StringComparer.Ordinal).ToList()));
        Assert.Equal(identity.NodeId, Assert.Single(store.Store.Read(v => v.List<Docker.Swarmkit.V1.Node>().ToList())).Id);
        ulong version = await store.Store.UpdateAsync(tx => tx.Create(new Config { Id = "after", Spec = new() { Annotations = new() { Name = "after" } } }), Cancelled);
        Assert.True(version > _store.Version);
    }

    [Fact]
    public async Task One_that_was_cut_short_is_no_state_directory_and_is_repeated()
    {
        State.Create();
        await System.IO.File.WriteAllTextAsync(Path.Combine(State.Root, "restoring"), File, Cancelled);
        await System.IO.File.WriteAllTextAsync(Path.Combine(State.CertificatesFolder, "swarm-node.key"), "half", Cancelled);
        Directory.CreateDirectory(Path.Combine(State.Root, "raft"));

        Assert.StartsWith($"a restore into {State.Root} was cut short", Refusal(Options() with { RestoreFrom = null }), StringComparison.Ordinal);

        await RestoreAsync(Options());
        Assert.False(System.IO.File.Exists(Path.Combine(State.Root, "restoring")));
        Assert.NotNull(NodeIdentityStore.Load(State, new NodeKeyFile(State, TimeProvider.System, Key), DateTimeOffset.UtcNow));
        Assert.Contains("is not empty", Refusal(Options()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task As_a_new_cluster_it_has_another_CA_and_another_id()
    {
        await RestoreAsync(Options() with { RestoreAsNew = true });

        NodeIdentity identity = NodeIdentityStore.Load(State, new NodeKeyFile(State, TimeProvider.System, Key), DateTimeOffset.UtcNow)!;
        Assert.NotEqual("cluster000000000000000000", identity.ClusterId);
        Assert.NotEqual(_root.Digest, identity.Root.Digest);
    }

    [Fact]
    public async Task What_cannot_be_restored_is_said_and_nothing_is_made_of_it()
    {
        byte[] file = await System.IO.File.ReadAllBytesAsync(File, Cancelled);

        await RefusedAsync("it was cut short; take another copy", Options(), file[..^7]);
        file[^20] ^= 1;
        await RefusedAsync("chunk 0 is not what was written", Options(), file);
        file[8] = 9;
        await RefusedAsync("format version 9 and this program reads version 1", Options(), file);
        await RefusedAsync("this is no backup of a Skep cluster", Options(), [1, 2, 3]);

        Write(File, BackupSecret.UnlockKey(Key));
        await RefusedAsync("this is not the cluster's unlock key", Options() with { UnlockKey = UnlockKey.Format(new byte[32]) });
        await RefusedAsync("give it with --unlock-key", Options() with { UnlockKey = null });

        Write(File, BackupSecret.Passphrase("correct horse"));
        await RefusedAsync("--restore-passphrase-file", Options());
        string passphrase = Path.Combine(_folder, "passphrase");
        await RefusedAsync("the passphrase file cannot be read", Options() with { RestorePassphraseFile = passphrase });
        await System.IO.File.WriteAllTextAsync(passphrase, "correct house\n", Cancelled);
        await RefusedAsync("this is not the passphrase", Options() with { RestorePassphraseFile = passphrase });
        await System.IO.File.WriteAllTextAsync(passphrase, "correct horse\n", Cancelled);
        await RestoreAsync(Options() with { RestorePassphraseFile = passphrase });
    }

    [Fact]
    public void Flags_that_do_not_go_together_are_refused()
    {
        Assert.StartsWith("--restore-as-new needs --restore", Flags(Options() with { RestoreFrom = null, RestoreAsNew = true }), StringComparison.Ordinal);
        Assert.StartsWith("--restore-passphrase-file needs --restore", Flags(Options() with { RestoreFrom = null, RestorePassphraseFile = "x" }), StringComparison.Ordinal);
        Assert.StartsWith("--restore and --join-addr do not go together", Flags(Options() with { JoinAddress = "a:1" }), StringComparison.Ordinal);
        Assert.StartsWith("--restore and --force-new-cluster do not go together", Flags(Options() with { ForceNewCluster = true }), StringComparison.Ordinal);
        Assert.Contains("there is no such file", Refusal(Options() with { RestoreFrom = File + "x" }), StringComparison.Ordinal);
    }

    public void Dispose()
    {
        _store.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private NodeOptions Options() => new() { StateDirectory = State.Root, RestoreFrom = File, RemoteApi = "127.0.0.1:4242", UnlockKey = UnlockKey.Format(Key) };

    private async Task<byte[]?> RestoreAsync(NodeOptions options)
    {
        Restore restore = New(options);
        restore.CheckDirectory();
        State.Create();
        return await restore.RunAsync(Cancelled);
    }

    private async Task RefusedAsync(string about, NodeOptions options, byte[]? file = null)
    {
        if (file is not null)
        {
            await System.IO.File.WriteAllBytesAsync(File, file, Cancelled);
        }
        string said = (await Assert.ThrowsAsync<NodeStartException>(() => New(options).RunAsync(Cancelled))).Message;
        Assert.StartsWith($"--restore {File}: ", said, StringComparison.Ordinal);
        Assert.Contains(about, said, StringComparison.Ordinal);
        Assert.False(Directory.Exists(State.Root));
    }

    private string Refusal(NodeOptions options) => Assert.Throws<NodeStartException>(() => New(options).CheckDirectory()).Message;

    private static string Flags(NodeOptions options) => Assert.Throws<NodeStartException>(() => Restore.CheckFlags(options)).Message;

    private Restore New(NodeOptions options) => new(options, State, TimeProvider.System, NullLogger<Restore>.Instance);

    private void Write(string path, BackupSecret secret)
    {
        (ulong version, Snapshot content) = StoreBackup.Capture(_store);
        using FileStream file = System.IO.File.Create(path);
        using BackupEncryptingStream writer = BackupEncryptingStream.Create(file, new() { ClusterId = "cluster000000000000000000", Index = version, Term = 3 }, secret);
        StoreBackup.Write(content, writer, default);
        writer.Complete();
    }
}
