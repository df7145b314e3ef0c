using Skep.Raft;
using Skep.Store.Members;

namespace Skep.Store.Durability;

/// <summary>
/// A <see cref="ClusterStore"/> on a Raft group: what a transaction changed is on the disks of a majority before it returns, and
/// a manager that is killed at any point comes back with the same objects under the same versions.
/// </summary>
public sealed class DurableStore : IAsyncDisposable
{
    /// <summary>The group of the cluster's objects, of all groups in the log.</summary>
    public const ulong GroupId = 1;

    private readonly RaftHost host;
    private readonly ReplicaGroup group;

    private readonly RaftMember self;
    private readonly bool founds;

    private DurableStore(ClusterStore store, RaftHost host, ReplicaGroup group, RaftMember self, bool founds)
    {
        (Store, this.host, this.group, this.self, this.founds) = (store, host, group, self, founds);
        Members = new(group, host, self.Id);
    }

    /// <summary>The objects.</summary>
    public ClusterStore Store { get; }

    /// <summary>Who agrees on them.</summary>
    public StoreMembers Members { get; }

    /// <summary>This manager's id in the group (Node.manager_status.raft_id).</summary>
    public ulong MemberId => self.Id;

    /// <summary>
    /// Ends when the store is closed and fails when the log does (a write or a sync that the disk refused for another reason
    /// than space). The process should then stop and say so.
    /// </summary>
    public Task Completion => group.Completion;

    /// <summary>The log's state at this moment.</summary>
    public RaftGroupMetrics Metrics => group.Metrics;

    /// <summary>
    /// Opens the state directory, or begins it, and takes up this member's part. The objects are there as of the latest snapshot;
    /// what comes after it is applied once a leader has said that it is committed.
    /// </summary>
    /// <exception cref="RaftLogException">The log cannot be opened: damaged, locked, of another key or version, or the disk is full. Type and message say which and where.</exception>
    /// <exception cref="InvalidOperationException">The directory belongs to another member.</exception>
    public static async Task<DurableStore> OpenAsync(DurableStoreOptions options, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        var self = new RaftMember(options.MemberId, options.Address);
        var raft = new RaftHostOptions
        {
            Folder = FolderOf(options.StateDirectory),
            DataKey = options.DataKey,
            OlderDataKeys = options.OlderDataKeys,
            Member = self,
            Dial = options.Dial,
            KeepEntries = options.KeepEntries,
            LoggerFactory = options.LoggerFactory,
            Time = options.Time,
        };
        if (options.SegmentSizeBytes is { } size)
        {
            raft = raft with { SegmentSizeBytes = size };
        }

        RaftHost host = await RaftHost.OpenAsync(raft, ct).ConfigureAwait(false);
        var proposer = new RaftProposer();
        var store = new ClusterStore(options.Time, proposer);
        try
        {
            ReplicaGroup group = await host.OpenGroupAsync(
                new ReplicaGroupOptions
                {
                    GroupId = GroupId,
                    Founders = options.Founds ? [self] : [],
                    SnapshotEveryEntries = options.SnapshotEveryEntries,
                },
                new StoreStateMachine(store),
                ct).ConfigureAwait(false);
            if (options.Founds && group.Status.Configuration is var known && known.Voters.Concat(known.OutgoingVoters).Concat(known.Learners).All(m => m.Id != self.Id))
            {
                throw new InvalidOperationException(
                    $"{raft.Folder} belongs to raft member {known.Voters[0].Id:x}, not to {self.Id:x}: use the state directory this member was begun with");
            }
            proposer.Group = group;
            return new DurableStore(store, host, group, self, options.Founds);
        }
        catch
        {
            store.Dispose();
            await host.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Where a state directory keeps the log.</summary>
    public static string FolderOf(string stateDirectory) => Path.Combine(stateDirectory, "raft");

    /// <summary>
    /// Takes up this member's part in a further group of the same log, which has the same members as the store's. Who founded that one,
    /// or is its only member, founds this one where the log holds nothing of it; others wait for its leader. Every group that the log
    /// holds must be opened before the data key is changed.
    /// </summary>
    /// <param name="group">Which one, not <see cref="GroupId"/>, and how; its founders are seen to here.</param>
    /// <param name="machine">What it agrees on.</param>
    /// <param name="ct">Gives up.</param>
    /// <returns>The group, which is closed with the store, and its members.</returns>
    /// <exception cref="RaftLogException">The log cannot be read or written.</exception>
    public async Task<(ReplicaGroup Group, StoreMembers Members)> OpenGroupAsync(
        ReplicaGroupOptions group, IStateMachine machine, CancellationToken ct = default)
    {
        // A group that others decide about is theirs to begin. One alone in the store's group has nobody left who could have begun it.
        bool isAlone = Members.View.Members is [{ Kind: MemberKind.Voter } only] && only.Id == self.Id;
        ReplicaGroup opened = await host.OpenGroupAsync(
            group with { Founders = founds || isAlone ? [self] : [] }, machine, ct).ConfigureAwait(false);
        return (opened, new StoreMembers(opened, host, self.Id));
    }

    /// <summary>Waits until this manager leads.</summary>
    public async Task UntilLeadingAsync(CancellationToken ct) =>
        await Members.WaitForAsync(static v => v.IsLeading, ct).ConfigureAwait(false);

    /// <summary>Returns when the store holds all that was committed when the call began: what is read then is not stale.</summary>
    /// <exception cref="StoreException">No leader answers.</exception>
    public async Task ReadBarrierAsync(CancellationToken ct)
    {
        try
        {
            await group.ReadIndexAsync(ct).ConfigureAwait(false);
        }
        catch (NotLeaderException e)
        {
            throw new StoreException(StoreErrorKind.NotLeader, e.Message, e);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            throw new StoreException(StoreErrorKind.Stopped, e.Message, e);
        }
    }

    /// <summary>Takes what another manager sends on a stream that it dialled, until it ends; closes the stream.</summary>
    /// <param name="stream">Authenticated.</param>
    /// <param name="from">The member that the other's certificate says it is.</param>
    /// <param name="ct">Ends it.</param>
    public Task ServePeerAsync(Stream stream, ulong from, CancellationToken ct) => host.ServeAsync(stream, from, ct);

    /// <summary>
    /// Writes the log under another data key from now on, and returns once nothing on disk needs an older one: the new key must have
    /// been kept before the call, and the old one may be forgotten after it.
    /// </summary>
    /// <exception cref="RaftLogException">The log takes nothing more.</exception>
    public Task RotateDataKeyAsync(ReadOnlyMemory<byte> key, CancellationToken ct) => host.RotateDataKeyAsync(key, ct);

    /// <summary>Finishes what was proposed and closes the log. The objects can still be read.</summary>
    public ValueTask DisposeAsync() => host.DisposeAsync();
}
