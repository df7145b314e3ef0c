namespace Skep.Store.Tables;

/// <summary>Tasks, also found by service, by node and by slot.</summary>
internal sealed class TaskTable() : Table<SwarmTask>(TableKind.Task, static _ => null)
{
    private readonly TaskIndex<string> byService = new();
    private readonly TaskIndex<string> byNode = new();
    private readonly TaskIndex<(string ServiceId, ulong Slot)> bySlot = new();

    public IEnumerable<SwarmTask> ByService(string serviceId) => byService.Of(serviceId);

    public IEnumerable<SwarmTask> ByNode(string nodeId) => byNode.Of(nodeId);

    public IEnumerable<SwarmTask> BySlot(string serviceId, ulong slot) => bySlot.Of((serviceId, slot));

    protected override void Reindex(SwarmTask? old, SwarmTask? now)
    {
        byService.Move(old, old?.ServiceId ?? "", now, now?.ServiceId ?? "", absent: "");
        byNode.Move(old, old?.NodeId ?? "", now, now?.NodeId ?? "", absent: "");
        bySlot.Move(old, (old?.ServiceId ?? "", old?.Slot ?? 0), now, (now?.ServiceId ?? "", now?.Slot ?? 0), absent: ("", 0));
    }

    private sealed class TaskIndex<TKey>
        where TKey : notnull, IEquatable<TKey>
    {
        private readonly Dictionary<string, SwarmTask> none = [];
        private readonly Dictionary<TKey, Dictionary<string, SwarmTask>> groups = [];

        public Dictionary<string, SwarmTask>.ValueCollection Of(TKey key) => groups.GetValueOrDefault(key, none).Values;

        public void Move(SwarmTask? old, TKey oldKey, SwarmTask? now, TKey newKey, TKey absent)
        {
            if (old is not null && !oldKey.Equals(absent) && (now is null || !oldKey.Equals(newKey)))
            {
                Dictionary<string, SwarmTask> group = groups[oldKey];
                group.Remove(old.Id);
                if (group.Count == 0)
                {
                    groups.Remove(oldKey);
                }
            }
            if (now is null || newKey.Equals(absent))
            {
                return;
            }
            if (!groups.TryGetValue(newKey, out Dictionary<string, SwarmTask>? into))
            {
                groups[newKey] = into = new(1, StringComparer.Ordinal);
            }
            into[now.Id] = now;
        }
    }
}
