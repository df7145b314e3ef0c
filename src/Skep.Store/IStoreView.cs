using Skep.Api;

namespace Skep.Store;

/// <summary>
/// What can be read: the committed objects, or a transaction that sees its own writes. Objects are shared with every other
/// reader and are never changed; who wants another state clones one and updates the store. Lists are lazy and valid only
/// inside the read or the transaction that gave them.
/// </summary>
public interface IStoreView
{
    /// <summary>The object with this id, or null.</summary>
    T? Get<T>(string id)
        where T : class, IStoreObject;

    /// <summary>The object with this name, in any case, or null. Names are unique for all types but nodes and tasks, which have none.</summary>
    T? ByName<T>(string name)
        where T : class, IStoreObject;

    /// <summary>Every object of a type, in no order.</summary>
    IEnumerable<T> List<T>()
        where T : class, IStoreObject;

    /// <summary>How many objects of a type there are.</summary>
    int Count<T>()
        where T : class, IStoreObject;

    /// <summary>The tasks of a service.</summary>
    IEnumerable<SwarmTask> TasksByService(string serviceId);

    /// <summary>The tasks given to a node.</summary>
    IEnumerable<SwarmTask> TasksByNode(string nodeId);

    /// <summary>The tasks of one slot of a service, old ones included.</summary>
    IEnumerable<SwarmTask> TasksBySlot(string serviceId, ulong slot);
}
