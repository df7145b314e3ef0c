using Docker.Swarmkit.V1;
using Google.Protobuf.WellKnownTypes;
using Skep.Api;
using Skep.Store.Tables;
using Skep.Store.Transactions;

namespace Skep.Store;

/// <summary>
/// Changes that will be committed together, over the committed state: reads see the writes made so far. It is handed to the
/// delegate of <see cref="ClusterStore.UpdateAsync"/> and is of no use after it.
/// </summary>
public sealed class WriteTransaction : IStoreView
{
    private static readonly int Kinds = System.Enum.GetValues<TableKind>().Length;

    private readonly StoreTables committed;
    private readonly Timestamp now;
    private readonly Dictionary<string, IStoreObject?>?[] overlay = new Dictionary<string, IStoreObject?>?[Kinds];
    private readonly List<StoreAction> actions = [];

    internal WriteTransaction(StoreTables committed, DateTimeOffset now)
    {
        this.committed = committed;
        this.now = Timestamp.FromDateTimeOffset(now);
    }

    /// <summary>How many changes have been made.</summary>
    public int ChangeCount => actions.Count;

    /// <summary>About how many bytes the changes take in the log.</summary>
    internal long SizeBytes { get; private set; }

    internal IReadOnlyList<StoreAction> Actions => actions;

    /// <summary>Adds an object. The store owns it from here on.</summary>
    /// <exception cref="StoreException">The id or the name is taken.</exception>
    public void Create<T>(T o)
        where T : class, IStoreObject
    {
        ArgumentNullException.ThrowIfNull(o);
        if (string.IsNullOrEmpty(o.Id))
        {
            throw new ArgumentException("an object needs an id before it is created", nameof(o));
        }
        if (Get<T>(o.Id) is not null)
        {
            throw new StoreException(StoreErrorKind.AlreadyExists, $"{Word<T>()} {o.Id} already exists");
        }
        CheckName(o);
        o.Meta = new Meta { Version = new(), CreatedAt = now, UpdatedAt = now };
        Record(StoreActionKind.StoreActionCreate, o);
    }

    /// <summary>Replaces an object that was read in this version. The store owns it from here on.</summary>
    /// <exception cref="StoreException">It is gone, it changed since it was read, or its new name is taken.</exception>
    public void Update<T>(T o)
        where T : class, IStoreObject
    {
        ArgumentNullException.ThrowIfNull(o);
        T old = Get<T>(o.Id) ?? throw NotFound<T>(o.Id);
        if (ReferenceEquals(old, o))
        {
            throw new InvalidOperationException($"{Word<T>()} {o.Id} was changed in place; clone it before changing it");
        }
        if ((o.Meta?.Version?.Index ?? 0) != old.Meta.Version.Index)
        {
            throw new StoreException(StoreErrorKind.OutOfSequence, "update out of sequence");
        }
        CheckName(o);
        o.Meta = new Meta { Version = old.Meta.Version.Clone(), CreatedAt = old.Meta.CreatedAt, UpdatedAt = now };
        Record(StoreActionKind.StoreActionUpdate, o);
    }

    /// <summary>Removes an object.</summary>
    /// <exception cref="StoreException">There is none with this id.</exception>
    public void Remove<T>(string id)
        where T : class, IStoreObject, new()
    {
        if (Get<T>(id) is null)
        {
            throw NotFound<T>(id);
        }
        SizeBytes += id.Length + 16;
        Overlay<T>()[id] = null;
        actions.Add(StoreActions.Encode(StoreActionKind.StoreActionRemove, new T { Id = id }));
    }

    /// <inheritdoc/>
    public T? Get<T>(string id)
        where T : class, IStoreObject =>
        overlay[(int)StoreTables.KindOf<T>()] is { } mine && mine.TryGetValue(id, out IStoreObject? o) ? (T?)o : committed.Get<T>(id);

    /// <inheritdoc/>
    public T? ByName<T>(string name)
        where T : class, IStoreObject
    {
        TableKind kind = StoreTables.KindOf<T>();
        if (overlay[(int)kind] is { } mine)
        {
            foreach (IStoreObject? o in mine.Values)
            {
                if (o is not null && string.Equals(committed[kind].NameOf(o), name, StringComparison.OrdinalIgnoreCase))
                {
                    return (T)o;
                }
            }
            return committed.ByName<T>(name) is { } found && !mine.ContainsKey(found.Id) ? found : null;
        }
        return committed.ByName<T>(name);
    }

    /// <inheritdoc/>
    public IEnumerable<T> List<T>()
        where T : class, IStoreObject => Over(committed.List<T>(), static _ => true);

    /// <inheritdoc/>
    public int Count<T>()
        where T : class, IStoreObject
    {
        int count = committed.Count<T>();
        foreach ((string id, IStoreObject? o) in overlay[(int)StoreTables.KindOf<T>()] ?? [])
        {
            count += (o is null ? 0 : 1) - (committed.Get<T>(id) is null ? 0 : 1);
        }
        return count;
    }

    /// <inheritdoc/>
    public IEnumerable<SwarmTask> TasksByService(string serviceId) =>
        Over(committed.TasksByService(serviceId), t => t.ServiceId == serviceId);

    /// <inheritdoc/>
    public IEnumerable<SwarmTask> TasksByNode(string nodeId) =>
        Over(committed.TasksByNode(nodeId), t => t.NodeId == nodeId);

    /// <inheritdoc/>
    public IEnumerable<SwarmTask> TasksBySlot(string serviceId, ulong slot) =>
        Over(committed.TasksBySlot(serviceId, slot), t => t.ServiceId == serviceId && t.Slot == slot);

    private static string Word<T>() => typeof(T).Name.ToLowerInvariant();

    private static StoreException NotFound<T>(string id) => new(StoreErrorKind.NotFound, $"{Word<T>()} {id} not found");

    // Copies, so that a caller may write while it walks the list.
    private List<T> Over<T>(IEnumerable<T> rows, Func<T, bool> belongs)
        where T : class, IStoreObject
    {
        if (overlay[(int)StoreTables.KindOf<T>()] is not { } mine)
        {
            return [.. rows];
        }
        var result = new List<T>();
        foreach (T row in rows)
        {
            if (!mine.ContainsKey(row.Id))
            {
                result.Add(row);
            }
        }
        foreach (IStoreObject? o in mine.Values)
        {
            if (o is T row && belongs(row))
            {
                result.Add(row);
            }
        }
        return result;
    }

    private void CheckName<T>(T o)
        where T : class, IStoreObject
    {
        string? name = committed[StoreTables.KindOf<T>()].NameOf(o);
        if (name is not null && ByName<T>(name) is { } holder && holder.Id != o.Id)
        {
            throw new StoreException(StoreErrorKind.NameConflict, "name conflicts with an existing object");
        }
    }

    private void Record<T>(StoreActionKind kind, T o)
        where T : class, IStoreObject
    {
        SizeBytes += o.CalculateSize() + 16;
        Overlay<T>()[o.Id] = o;
        actions.Add(StoreActions.Encode(kind, o));
    }

    private Dictionary<string, IStoreObject?> Overlay<T>()
        where T : class, IStoreObject =>
        overlay[(int)StoreTables.KindOf<T>()] ??= new(StringComparer.Ordinal);
}
