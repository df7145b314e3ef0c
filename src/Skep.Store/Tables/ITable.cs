using Skep.Api;

namespace Skep.Store.Tables;

/// <summary>A table without its type, for code that handles all of them alike.</summary>
internal interface ITable
{
    TableKind Kind { get; }

    IEnumerable<IStoreObject> All { get; }

    string? NameOf(IStoreObject o);

    IStoreObject? Get(string id);

    IStoreObject? ByName(string name);

    /// <returns>The object that was replaced.</returns>
    IStoreObject? Put(IStoreObject o);

    /// <returns>The object that was removed.</returns>
    IStoreObject? Remove(string id);

    void Clear();
}
