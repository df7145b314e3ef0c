using System.Runtime.InteropServices;
using Skep.Api;

namespace Skep.Store.Tables;

/// <summary>The committed objects of one type, by id and by lower-cased name.</summary>
internal class Table<T>(TableKind kind, Func<T, string?> nameOf) : ITable
    where T : class, IStoreObject
{
    private readonly Dictionary<string, T> byId = new(StringComparer.Ordinal);
    private readonly Dictionary<string, T> byName = new(StringComparer.OrdinalIgnoreCase);

    public TableKind Kind { get; } = kind;

    public int Count => byId.Count;

    public IEnumerable<T> All => byId.Values;

    IEnumerable<IStoreObject> ITable.All => byId.Values;

    public string? NameOf(IStoreObject o) => nameOf((T)o);

    public T? Get(string id) => byId.GetValueOrDefault(id);

    public T? ByName(string name) => byName.GetValueOrDefault(name);

    IStoreObject? ITable.Get(string id) => byId.GetValueOrDefault(id);

    IStoreObject? ITable.ByName(string name) => byName.GetValueOrDefault(name);

    public IStoreObject? Put(IStoreObject o)
    {
        var item = (T)o;
        ref T? place = ref CollectionsMarshal.GetValueRefOrAddDefault(byId, item.Id, out _);
        T? old = place;
        place = item;
        Reindex(old, item);
        return old;
    }

    public IStoreObject? Remove(string id)
    {
        if (byId.Remove(id, out T? old))
        {
            Reindex(old, null);
        }
        return old;
    }

    public void Clear()
    {
        foreach (string id in byId.Keys.ToArray())
        {
            Remove(id);
        }
    }

    protected virtual void Reindex(T? old, T? now)
    {
        string? oldName = old is null ? null : nameOf(old);
        string? newName = now is null ? null : nameOf(now);
        if (oldName is not null && !string.Equals(oldName, newName, StringComparison.OrdinalIgnoreCase))
        {
            byName.Remove(oldName);
        }
        if (newName is not null)
        {
            byName[newName] = now!;
        }
    }
}
