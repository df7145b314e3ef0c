namespace Skep.Raft.Tests.Host;

/// <summary>How a group of one is opened.</summary>
internal sealed record SoloOptions
{
    public required string Folder { get; init; }

    public required ReadOnlyMemory<byte> DataKey { get; init; }

    public ulong GroupId { get; init; } = 1;

    public RaftMember Member { get; init; } = new(7, "");

    public int SegmentSizeBytes { get; init; } = 256 * 1024;

    public ulong SnapshotEveryEntries { get; init; } = 10_000;

    public long SnapshotEverySizeBytes { get; init; } = long.MaxValue;

    public ulong KeepEntries { get; init; } = 500;
}

/// <summary>A group of one voter, which leads once it is open.</summary>
internal sealed class Solo : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly RaftHost _host;

    private Solo(RaftHost host, ReplicaGroup group) => (_host, Group) = (host, group);

    public ReplicaGroup Group { get; }

    public RaftGroupMetrics Metrics => Group.Metrics;

    public RaftConfiguration Configuration => Group.Status.Configuration;

    public Task Completion => Group.Completion;

    public static async Task<Solo> OpenAsync(SoloOptions options, IStateMachine machine, CancellationToken ct = default)
    {
        var host = await RaftHost.OpenAsync(
            new RaftHostOptions
            {
                Folder = options.Folder,
                DataKey = options.DataKey,
                Member = options.Member,
                KeepEntries = options.KeepEntries,
                SegmentSizeBytes = options.SegmentSizeBytes,
                Dial = static (_, _) => throw new IOException("there is nobody else"),
            },
            ct);
        try
        {
            var group = await host.OpenGroupAsync(
                new ReplicaGroupOptions { GroupId = options.GroupId, Founders = [options.Member], SnapshotEveryEntries = options.SnapshotEveryEntries, SnapshotEverySizeBytes = options.SnapshotEverySizeBytes }, machine, ct);
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(ct);
            patience.CancelAfter(Patience);
            await group.WaitForAsync(static s => s.IsReady, patience.Token);
            return new Solo(host, group);
        }
        catch
        {
            await host.DisposeAsync();
            throw;
        }
    }

    public Task<ulong> ProposeAsync(ReadOnlyMemory<byte> command) => Group.ProposeAsync(command);

    public ValueTask DisposeAsync() => _host.DisposeAsync();
}
