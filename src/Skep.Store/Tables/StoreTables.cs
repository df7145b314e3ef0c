using Docker.Swarmkit.V1;
using Skep.Api;

namespace Skep.Store.Tables;

/// <summary>All tables of the store: the committed state. It is guarded by its owner's lock.</summary>
internal sealed class StoreTables : IStoreView
{
    private readonly ITable[] tables;

    public StoreTables()
    {
        Tasks = new TaskTable();
        tables =
        [
            new Table<Node>(TableKind.Node, static _ => null),
            new Table<Service>(TableKind.Service, static o => o.Spec?.Annotations?.Name),
            Tasks,
            new Table<Network>(TableKind.Network, static o => o.Spec?.Annotations?.Name),
            new Table<Cluster>(TableKind.Cluster, static o => o.Spec?.Annotations?.Name),
            new Table<Secret>(TableKind.Secret, static o => o.Spec?.Annotations?.Name),
            new Table<Config>(TableKind.Config, static o => o.Spec?.Annotations?.Name),
            new Table<Resource>(TableKind.Resource, static o => o.Annotations?.Name),
            new Table<Extension>(TableKind.Extension, static o => o.Annotations?.Name),
            new Table<Volume>(TableKind.Volume, static o => o.Spec?.Annotations?.Name),
        ];
    }

    public TaskTable Tasks { get; }

    public IReadOnlyList<ITable> All => tables;

    public ITable this[TableKind kind] => tables[(int)kind];

    public static TableKind KindOf<T>()
        where T : class, IStoreObject => TypeKind<T>.Kind;

    public T? Get<T>(string id)
        where T : class, IStoreObject => Of<T>().Get(id);

    public T? ByName<T>(string name)
        where T : class, IStoreObject => Of<T>().ByName(name);

    public IEnumerable<T> List<T>()
        where T : class, IStoreObject => Of<T>().All;

    public int Count<T>()
        where T : class, IStoreObject => Of<T>().Count;

    public IEnumerable<SwarmTask> TasksByService(string serviceId) => Tasks.ByService(serviceId);

    public IEnumerable<SwarmTask> TasksByNode(string nodeId) => Tasks.ByNode(nodeId);

    public IEnumerable<SwarmTask> TasksBySlot(string serviceId, ulong slot) => Tasks.BySlot(serviceId, slot);

    private Table<T> Of<T>()
        where T : class, IStoreObject => (Table<T>)tables[(int)TypeKind<T>.Kind];

    private static class TypeKind<T>
    {
        public static readonly TableKind Kind =
            Enum.TryParse(typeof(T).Name, out TableKind kind)
                ? kind
                : throw new NotSupportedException($"the store keeps no {typeof(T).Name}");
    }
}
