using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Skep.Raft;

namespace Skep.Store.Durability;

/// <summary>
/// A <see cref="ClusterStore"/> on a Raft log: what a transaction changed is on disk before it returns, and a manager that is
/// killed at any point comes back with the same objects under the same versions.
/// </summary>
public sealed class DurableStore : IAsyncDisposable
{
    private readonly RaftGroup group;

    private DurableStore(ClusterStore store, RaftGroup group, ulong memberId)
    {
        Store = store;
        this.group = group;
        MemberId = memberId;
    }

    /// <summary>The objects.</summary>
    public ClusterStore Store { get; }

    /// <summary>This manager's id in the Raft group (Node.manager_status.raft_id).</summary>
    public ulong MemberId { get; }

    /// <summary>
    /// Ends when the store is closed and fails when the log does (a write or a sync that the disk refused for another reason
    /// than space). The process should then stop and say so.
    /// </summary>
    public Task Completion => group.Completion;

    /// <summary>The log's state at this moment.</summary>
    public RaftGroupMetrics Metrics => group.Metrics;

    /// <summary>Opens the state directory, or begins it, and brings the store to where it was.</summary>
    /// <exception cref="RaftLogException">The log cannot be opened: damaged, locked, of another key or version, or the disk is full. Type and message say which and where.</exception>
    /// <exception cref="InvalidOperationException">The directory belongs to another node.</exception>
    public static async Task<DurableStore> OpenAsync(DurableStoreOptions options, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        ulong memberId = MemberIdOf(options.NodeId);
        var raft = new RaftGroupOptions
        {
            Folder = Path.Combine(options.StateDirectory, "raft"),
            DataKey = options.DataKey,
            OlderDataKeys = options.OlderDataKeys,
            Member = new RaftMember(memberId, options.Address),
            SnapshotEveryEntries = options.SnapshotEveryEntries,
            KeepEntries = options.KeepEntries,
            LoggerFactory = options.LoggerFactory,
            Time = options.Time,
        };
        if (options.SegmentSizeBytes is { } size)
        {
            raft = raft with { SegmentSizeBytes = size };
        }

        var proposer = new RaftProposer();
        var store = new ClusterStore(options.Time, proposer);
        try
        {
            RaftGroup group = await RaftGroup.OpenAsync(raft, new StoreStateMachine(store), ct).ConfigureAwait(false);
            proposer.Group = group;
            return new DurableStore(store, group, memberId);
        }
        catch
        {
            store.Dispose();
            throw;
        }
    }

    /// <summary>Finishes what was proposed and closes the log. The objects can still be read.</summary>
    public ValueTask DisposeAsync() => group.DisposeAsync();

    // Follows from the node's id, so that it needs no file of its own; 0 is no member.
    private static ulong MemberIdOf(string nodeId)
    {
        ArgumentException.ThrowIfNullOrEmpty(nodeId);
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(nodeId), hash);
        return Math.Max(1, BinaryPrimitives.ReadUInt64BigEndian(hash));
    }
}
