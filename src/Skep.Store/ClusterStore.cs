using Docker.Swarmkit.V1;
using Google.Protobuf;
using Skep.Api;
using Skep.Store.Tables;
using Skep.Store.Transactions;
using Skep.Store.Watching;
using Extension = Docker.Swarmkit.V1.Extension;

namespace Skep.Store;

/// <summary>
/// The cluster's objects in memory: typed tables with indexes, changed by transactions, watched by subscriptions. One writer
/// at a time; what it wrote is made durable by the proposer before any reader sees it. Without a proposer changes are applied
/// at once, which is what tests and in-memory measurements want.
/// </summary>
public sealed class ClusterStore : IDisposable
{
    /// <summary>The most changes a transaction may have (SwarmKit's MaxChangesPerTransaction).</summary>
    public const int MaxChanges = 200;

    /// <summary>The most bytes a transaction may take in the log (SwarmKit's MaxTransactionBytes).</summary>
    public const int MaxTransactionBytes = 1536 * 1024;

    private const int BatchBytes = 1024 * 1024;
    private const int KeptCommits = 2_000;
    private const long KeptBytes = 64 * 1024 * 1024;

    private readonly IProposer? proposer;
    private readonly TimeProvider time;
    private readonly StoreTables tables = new();
    private readonly CommitHub hub = new(KeptCommits, KeptBytes);
    private readonly SemaphoreSlim writer = new(1, 1);
    // A transaction is made under it, and whoever makes one may read the committed state beside.
    private readonly ReaderWriterLockSlim gate = new(LockRecursionPolicy.SupportsRecursion);
    private ulong version;

    // The transaction of this process's own that is being proposed: its objects are applied as they are, without decoding.
    private Proposing? proposing;

    /// <summary>An empty store.</summary>
    public ClusterStore(TimeProvider time, IProposer? proposer = null)
    {
        this.time = time;
        this.proposer = proposer;
    }

    /// <summary>The index of the newest transaction that was applied.</summary>
    public ulong Version => Volatile.Read(ref version);

    /// <summary>Reads the committed state. The delegate holds off writers: it is short and materialises its lists.</summary>
    public TResult Read<TResult>(Func<IStoreView, TResult> read)
    {
        ArgumentNullException.ThrowIfNull(read);
        gate.EnterReadLock();
        try
        {
            return read(tables);
        }
        finally
        {
            gate.ExitReadLock();
        }
    }

    /// <summary>Runs one transaction. It is durable and visible when this returns.</summary>
    /// <returns>The version of the store with it.</returns>
    /// <exception cref="StoreException">It was refused; nothing of it was applied.</exception>
    public async Task<ulong> UpdateAsync(Action<WriteTransaction> change, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(change);
        await writer.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            ulong term = proposer is null ? 0 : await proposer.BeginAsync().ConfigureAwait(false);
            WriteTransaction tx = Begin();
            Make(() => change(tx));
            return await CommitAsync(tx, term).ConfigureAwait(false);
        }
        finally
        {
            writer.Release();
        }
    }

    /// <summary>
    /// Runs a change for each item, in as few transactions as their bounds allow. An exception from a change loses only what
    /// was not committed yet.
    /// </summary>
    /// <exception cref="StoreException">A transaction was refused.</exception>
    public async Task BatchAsync<TItem>(IEnumerable<TItem> items, Action<WriteTransaction, TItem> change, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(items);
        ArgumentNullException.ThrowIfNull(change);
        using IEnumerator<TItem> rest = items.GetEnumerator();
        bool more = rest.MoveNext();
        while (more)
        {
            await writer.WaitAsync(ct).ConfigureAwait(false);
            try
            {
                ulong term = proposer is null ? 0 : await proposer.BeginAsync().ConfigureAwait(false);
                WriteTransaction tx = Begin();
                Make(() =>
                {
                    // An item may make several changes, so there is room kept for them.
                    while (more && tx.ChangeCount < MaxChanges - 8 && tx.SizeBytes < BatchBytes)
                    {
                        change(tx, rest.Current);
                        more = rest.MoveNext();
                    }
                });
                await CommitAsync(tx, term).ConfigureAwait(false);
            }
            finally
            {
                writer.Release();
            }
        }
    }

    /// <summary>Every commit from now on.</summary>
    /// <param name="capacity">How many commits the reader may be behind.</param>
    public StoreSubscription Subscribe(int capacity = 10_000) => ReadAndSubscribe(static _ => 0, capacity).Subscription;

    /// <summary>Reads, and every commit after what was read: nothing missed, nothing twice.</summary>
    public (TResult Result, StoreSubscription Subscription) ReadAndSubscribe<TResult>(Func<IStoreView, TResult> read, int capacity = 10_000)
    {
        ArgumentNullException.ThrowIfNull(read);
        gate.EnterReadLock();
        try
        {
            return (read(tables), hub.Subscribe(capacity));
        }
        finally
        {
            gate.ExitReadLock();
        }
    }

    /// <summary>Every commit after a version, or null when commits that far back are no longer kept.</summary>
    public StoreSubscription? SubscribeFrom(ulong version, int capacity = 10_000)
    {
        gate.EnterReadLock();
        try
        {
            return hub.SubscribeFrom(version, capacity);
        }
        finally
        {
            gate.ExitReadLock();
        }
    }

    /// <summary>Applies a committed transaction; called by the log, in the order of its indexes.</summary>
    /// <exception cref="InvalidDataException">The bytes are no transaction.</exception>
    public void Apply(ulong index, ReadOnlySpan<byte> transaction)
    {
        // The writer's own transaction is at hand as objects; only others' (a restart's, a leader's, one that was given up by
        // its writer and became durable all the same) are decoded. Which one it is its bytes say.
        IReadOnlyList<StoreAction>? actions = null;
        if (Volatile.Read(ref proposing) is { } own && transaction.SequenceEqual(own.Bytes.Span)
            && ReferenceEquals(Interlocked.CompareExchange(ref proposing, null, own), own))
        {
            actions = own.Actions;
        }
        if (actions is null)
        {
            try
            {
                actions = InternalRaftRequest.Parser.ParseFrom(transaction).Action;
            }
            catch (InvalidProtocolBufferException e)
            {
                throw new InvalidDataException($"entry {index} of the log is no transaction of the store: {e.Message}", e);
            }
        }
        Apply(index, actions, transaction.Length);
    }

    /// <summary>The whole state, as the log's snapshots carry it. Objects are shared, not copied.</summary>
    public Snapshot TakeSnapshot() => Read(static view => new Snapshot
    {
        Membership = new(),
        Store = new StoreSnapshot
        {
            Nodes = { view.List<Node>() },
            Services = { view.List<Service>() },
            Networks = { view.List<Network>() },
            Tasks = { view.List<SwarmTask>() },
            Clusters = { view.List<Cluster>() },
            Secrets = { view.List<Secret>() },
            Resources = { view.List<Resource>() },
            Extensions = { view.List<Extension>() },
            Configs = { view.List<Config>() },
            Volumes = { view.List<Volume>() },
        },
    });

    /// <summary>Replaces the whole state. Every subscription ends as if it had lagged.</summary>
    public void Restore(ulong index, Snapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        StoreSnapshot s = snapshot.Store ?? new();
        IEnumerable<IStoreObject>[] all =
            [s.Nodes, s.Services, s.Tasks, s.Networks, s.Clusters, s.Secrets, s.Configs, s.Resources, s.Extensions, s.Volumes];
        gate.EnterWriteLock();
        try
        {
            foreach (ITable table in tables.All)
            {
                table.Clear();
                foreach (IStoreObject o in all[(int)table.Kind])
                {
                    table.Put(o);
                }
            }
            Volatile.Write(ref version, index);
            hub.Reset(index);
        }
        finally
        {
            gate.ExitWriteLock();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        writer.Dispose();
        gate.Dispose();
    }

    private WriteTransaction Begin() => new(tables, time.GetUtcNow());

    // Where this member has just lost the lead, the next leader's entries are applied while a transaction is still made.
    private void Make(Action change)
    {
        gate.EnterReadLock();
        try
        {
            change();
        }
        finally
        {
            gate.ExitReadLock();
        }
    }

    private async Task<ulong> CommitAsync(WriteTransaction tx, ulong term)
    {
        if (tx.ChangeCount == 0)
        {
            return Version;
        }
        if (tx.ChangeCount > MaxChanges || tx.SizeBytes > MaxTransactionBytes)
        {
            throw new StoreException(
                StoreErrorKind.TooLarge,
                $"a transaction of {tx.ChangeCount} changes and {tx.SizeBytes} bytes is over the limit of {MaxChanges} changes and {MaxTransactionBytes} bytes; make it in several");
        }
        if (proposer is null)
        {
            Apply(Version + 1, tx.Actions, tx.SizeBytes);
            return Version;
        }
        var request = new InternalRaftRequest { Action = { tx.Actions } };
        try
        {
            // Not from a pool: the log keeps it for members that are behind.
            byte[] bytes = request.ToByteArray();
            Volatile.Write(ref proposing, new Proposing(tx.Actions, bytes));
            // What was proposed cannot be taken back, so the caller's token ends here.
            return await proposer.ProposeAsync(bytes, term, CancellationToken.None).ConfigureAwait(false);
        }
        finally
        {
            Volatile.Write(ref proposing, null);
        }
    }

    private void Apply(ulong index, IReadOnlyList<StoreAction> actions, long sizeBytes)
    {
        var changes = new StoreChange[actions.Count];
        gate.EnterWriteLock();
        try
        {
            for (int i = 0; i < changes.Length; i++)
            {
                (TableKind kind, IStoreObject o) = StoreActions.Decode(actions[i]);
                changes[i] = Apply(index, tables[kind], actions[i].Action, o);
            }
            Volatile.Write(ref version, index);
            hub.Publish(new StoreCommit(index, changes) { SizeBytes = sizeBytes });
        }
        finally
        {
            gate.ExitWriteLock();
        }
    }

    private static StoreChange Apply(ulong index, ITable table, StoreActionKind action, IStoreObject o)
    {
        if (action == StoreActionKind.StoreActionRemove)
        {
            return new(StoreChangeKind.Remove, table.Remove(o.Id) ?? o, null);
        }
        o.Meta ??= new();
        o.Meta.Version = new() { Index = index };
        IStoreObject? old = table.Put(o);
        return new(old is null ? StoreChangeKind.Create : StoreChangeKind.Update, o, old);
    }

    private sealed record Proposing(IReadOnlyList<StoreAction> Actions, ReadOnlyMemory<byte> Bytes);
}
