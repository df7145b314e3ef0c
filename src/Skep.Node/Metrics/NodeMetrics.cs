using System.Diagnostics.Metrics;
using Docker.Swarmkit.V1;
using Skep.Agent;
using Skep.Api;
using Skep.Node.Coordination;
using Skep.Raft;
using Skep.Store.Durability;
using Skep.Store.Members;

namespace Skep.Node.Metrics;

/// <summary>What a node measures of itself; read only when somebody asks.</summary>
internal static class NodeMetrics
{
    public const string MeterName = "Skep";

    /// <summary>What the coordination service measures of itself.</summary>
    public const string CoordinationMeterName = "Skep.Coordination";

    /// <summary>The manager's log and store, and the coordination's group in the same log.</summary>
    public static Meter OfManager(DurableStore store, CoordinationHost coordination)
    {
        var meter = new Meter(MeterName);
        AddGroup(meter, "skep.raft", store.Members, () => store.Metrics);
        AddGroup(meter, "skep.coordination.raft", coordination.Members, () => coordination.Group.Metrics);
        meter.CreateObservableGauge("skep.raft.last_sync", () => store.Metrics.LastSyncTime.TotalSeconds, "s", "Duration of the last fdatasync");
        meter.CreateObservableCounter("skep.raft.syncs", () => store.Metrics.Syncs, description: "fdatasync calls");
        meter.CreateObservableGauge("skep.store.objects", () => Objects(store), description: "Objects in the store");
        meter.CreateObservableGauge("skep.store.nodes", () => Nodes(store), description: "Nodes by state");
        meter.CreateObservableGauge("skep.store.tasks", () => Tasks(store), description: "Tasks by state");
        return meter;
    }

    /// <summary>The agent's reports.</summary>
    public static Meter OfAgent(NodeAgent agent)
    {
        var meter = new Meter(MeterName);
        meter.CreateObservableGauge("skep.agent.unreported_statuses", () => agent.UnreportedCount, description: "Statuses that no manager has acknowledged yet");
        return meter;
    }

    private static void AddGroup(Meter meter, string name, StoreMembers members, Func<RaftGroupMetrics> read)
    {
        meter.CreateObservableGauge($"{name}.term", () => (long)read().Term, description: "Term of the Raft group");
        meter.CreateObservableGauge($"{name}.is_leader", () => members.View.IsLeading ? 1 : 0, description: "Whether this manager leads");
        meter.CreateObservableGauge($"{name}.members", () => members.View.Members.Count, description: "Managers in the group");
        meter.CreateObservableGauge($"{name}.peer_lag", () => Lags(members), description: "Entries that a member lacks on its disk, as the leader knows it");
        meter.CreateObservableGauge($"{name}.last_index", () => (long)read().LastIndex, description: "Index of the newest entry");
        meter.CreateObservableGauge($"{name}.applied_index", () => (long)read().AppliedIndex, description: "Index of the newest entry that was applied");
        meter.CreateObservableGauge($"{name}.snapshot_index", () => (long)read().SnapshotIndex, description: "Index that the newest snapshot reaches");
        meter.CreateObservableGauge($"{name}.queue_depth", () => read().QueueDepth, description: "Proposals that wait for the disk");
    }

    private static List<Measurement<long>> Lags(StoreMembers members) =>
        [.. members.LagEntries.Select(static l => Count((long)l.Value, "member", l.Key.ToString("x", System.Globalization.CultureInfo.InvariantCulture)))];

    private static List<Measurement<long>> Objects(DurableStore store) => store.Store.Read(static view => new List<Measurement<long>>
    {
        Count(view.Count<Docker.Swarmkit.V1.Node>(), "type", "node"),
        Count(view.Count<Service>(), "type", "service"),
        Count(view.Count<SwarmTask>(), "type", "task"),
        Count(view.Count<Network>(), "type", "network"),
        Count(view.Count<Secret>(), "type", "secret"),
        Count(view.Count<Config>(), "type", "config"),
    });

    private static List<Measurement<long>> Nodes(DurableStore store) => store.Store.Read(static view =>
        view.List<Docker.Swarmkit.V1.Node>().CountBy(n => n.Status?.State ?? default).Select(c => Count(c.Value, "state", WireNames.Of(c.Key))).ToList());

    private static List<Measurement<long>> Tasks(DurableStore store) => store.Store.Read(static view =>
        view.List<SwarmTask>().CountBy(t => t.Status?.State ?? default).Select(c => Count(c.Value, "state", WireNames.Of(c.Key))).ToList());

    private static Measurement<long> Count(long value, string key, string name) => new(value, new KeyValuePair<string, object?>(key, name));
}
