using System.Security.Cryptography;
using Docker.Swarmkit.V1;
using Google.Protobuf;
using Grpc.Core;
using Skep.Api.Backups;
using Skep.Identity.Certificates;
using Skep.Manager.Control;
using Skep.Manager.Membership;
using Skep.Manager.Tests.Control;
using Skep.Store;
using Skep.Store.Backups;
using Skep.V1;

namespace Skep.Manager.Tests.Backups;

/// <summary>A backup is the whole store, encrypted to what was asked for, and made as fast as it is taken.</summary>
public sealed class BackupTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly ControlCluster cluster = new();
    private readonly ManagersService service;

    public BackupTests() => service = new(cluster.Store, new InTerm(7), ControlCluster.ManagerId, cluster.Time);

    [Fact]
    public async Task It_is_the_store_as_it_was_with_versions_and_secrets()
    {
        await cluster.CreateSecret("key");
        await cluster.CreateService();

        byte[] file = await BackupAsync(new() { Passphrase = "correct horse" });

        using BackupDecryptingStream reader = BackupDecryptingStream.Open(new MemoryStream(file), _ => BackupSecret.Passphrase("correct horse"));
        Snapshot content = StoreBackup.Read(reader);
        Assert.Equal((cluster.Cluster.Id, cluster.Store.Version, 7UL, ControlCluster.ManagerId), (reader.Header.ClusterId, reader.Header.Index, reader.Header.Term, reader.Header.NodeId));
        Assert.Equal(cluster.Time.GetUtcNow(), reader.Header.CreatedAt.ToDateTimeOffset());
        using var copy = new ClusterStore(cluster.Time);
        copy.Restore(reader.Header.Index, content);
        Assert.Equal(cluster.Store.TakeSnapshot().Store, copy.TakeSnapshot().Store);
        Assert.Equal(cluster.Store.Version, copy.Version);
    }

    [Fact]
    public async Task Neither_the_root_CAs_key_nor_a_secret_is_in_it_in_the_clear()
    {
        await cluster.CreateSecret("key", "a-secret-of-some-length");

        byte[] file = await BackupAsync(new() { Passphrase = "correct horse" });

        Assert.Equal(-1, file.AsSpan().IndexOf("a-secret-of-some-length"u8));
        Assert.Equal(-1, file.AsSpan().IndexOf("PRIVATE KEY"u8));
    }

    [Fact]
    public async Task It_is_encrypted_to_the_unlock_key_where_managers_are_locked()
    {
        byte[] key = RandomNumberGenerator.GetBytes(32);
        cluster.Change<Cluster>(cluster.Cluster.Id, c =>
        {
            c.Spec.EncryptionConfig = new() { AutoLockManagers = true };
            c.UnlockKeys.Add(new EncryptionKey { Subsystem = RoleNames.Manager, Key = ByteString.CopyFrom(key) });
        });

        byte[] file = await BackupAsync(new() { UnlockKey = true });

        using BackupDecryptingStream reader = BackupDecryptingStream.Open(new MemoryStream(file), _ => BackupSecret.UnlockKey(key));
        Assert.Equal(cluster.Cluster.Id, StoreBackup.Read(reader).Store.Clusters.Single().Id);
    }

    [Fact]
    public async Task What_it_cannot_be_encrypted_to_is_said()
    {
        await ControlCluster.RefusedAbout(StatusCode.InvalidArgument, "give one of the two", () => BackupAsync(new()));
        await ControlCluster.RefusedAbout(StatusCode.InvalidArgument, "give one of the two", () => BackupAsync(new() { Passphrase = "correct horse", UnlockKey = true }));
        await ControlCluster.RefusedAbout(StatusCode.InvalidArgument, "at least 8", () => BackupAsync(new() { Passphrase = "short" }));
        await ControlCluster.RefusedAbout(StatusCode.FailedPrecondition, "there is no unlock key", () => BackupAsync(new() { UnlockKey = true }));
    }

    [Fact]
    public async Task While_one_is_taken_another_is_refused_and_a_caller_that_takes_nothing_holds_up_nothing_but_itself()
    {
        // More than the pipe between holds.
        for (int i = 0; i < 20; i++)
        {
            await cluster.CreateConfig($"c{i}", new string('x', 100_000));
        }
        using var gone = new CancellationTokenSource();
        var slow = new Pieces { Hold = new(TaskCreationOptions.RunContinuationsAsynchronously) };
        Task held = service.Backup(new() { Passphrase = "correct horse" }, slow, new Call(gone.Token));
        await slow.First.Task.WaitAsync(Patience);

        await ControlCluster.RefusedAbout(StatusCode.Unavailable, "another backup is being taken", () => BackupAsync(new() { Passphrase = "correct horse" }));
        await cluster.CreateSecret("meanwhile");

        await gone.CancelAsync();
        slow.Hold.SetCanceled();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => held).WaitAsync(Patience);
        Assert.True((await BackupAsync(new() { Passphrase = "correct horse" })).Length > 2_000_000);
    }

    public void Dispose() => cluster.Dispose();

    private async Task<byte[]> BackupAsync(BackupRequest request)
    {
        var pieces = new Pieces();
        await service.Backup(request, pieces, new Call(CancellationToken.None)).WaitAsync(Patience);
        return pieces.File.ToArray();
    }

    private sealed class Pieces : IServerStreamWriter<BackupPiece>
    {
        public MemoryStream File { get; } = new();

        public TaskCompletionSource First { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource? Hold { get; init; }

        public WriteOptions? WriteOptions { get; set; }

        public Task WriteAsync(BackupPiece message) => WriteAsync(message, CancellationToken.None);

        public Task WriteAsync(BackupPiece message, CancellationToken cancellationToken)
        {
            message.Data.WriteTo(File);
            First.TrySetResult();
            return Hold?.Task ?? Task.CompletedTask;
        }
    }

    private sealed class InTerm(ulong term) : IManagerMembers
    {
        public string? FullReason => null;

        public ManagerStatus? Find(string nodeId) => null;

        public bool CanLose(string nodeId) => false;

        public ManagersStatus Status() => new() { Term = term };
    }

    private sealed class Call(CancellationToken ct) : ServerCallContext
    {
        protected override string MethodCore => "";

        protected override string HostCore => "";

        protected override string PeerCore => "";

        protected override DateTime DeadlineCore => DateTime.MaxValue;

        protected override Metadata RequestHeadersCore => [];

        protected override CancellationToken CancellationTokenCore => ct;

        protected override Metadata ResponseTrailersCore => [];

        protected override Status StatusCore { get; set; }

        protected override WriteOptions? WriteOptionsCore { get; set; }

        protected override AuthContext AuthContextCore => throw new NotSupportedException();

        protected override ContextPropagationToken CreatePropagationTokenCore(ContextPropagationOptions? options) => throw new NotSupportedException();

        protected override Task WriteResponseHeadersAsyncCore(Metadata responseHeaders) => Task.CompletedTask;
    }
}
