using Docker.Swarmkit.V1;
using Google.Protobuf.WellKnownTypes;
using Skep.Manager.Certificates;
using Skep.Store;
using Skep.Store.Members;

namespace Skep.Manager.Recovery;

/// <summary>
/// Takes the nodes of managers that were given up out of the cluster. They are removed and their certificates count no more, rather than
/// demoted: one that came back with its old log would speak for the old group, and so it is not let in at all.
/// </summary>
public static class LostManagers
{
    /// <summary>The nodes that took part as managers and do not any more.</summary>
    /// <param name="nodes">All nodes.</param>
    /// <param name="isMember">Whether a node is a member of the group of managers now.</param>
    /// <param name="ownNodeId">The manager that is left.</param>
    public static IEnumerable<Node> Among(IEnumerable<Node> nodes, Func<string, bool> isMember, string ownNodeId) =>
        nodes.Where(n => n.Id != ownNodeId && (n.Role == NodeRole.Manager || n.ManagerStatus is not null) && !isMember(n.Id));

    /// <summary>Removes the nodes of the members given up; does nothing, and so can be repeated, where that is done.</summary>
    /// <param name="store">The store of the manager that is left; it must lead.</param>
    /// <param name="view">The group as it sees it.</param>
    /// <param name="ownNodeId">Its node.</param>
    /// <param name="givenUp">Members that were given up.</param>
    /// <param name="time">Stamps what is written.</param>
    /// <param name="ct">Stops between writes.</param>
    /// <returns>The nodes that are gone; none where a member given up is one still, since then the recovery did not take place.</returns>
    public static async Task<IReadOnlyList<Node>> DropAsync(
        ClusterStore store, MembersView view, string ownNodeId, IReadOnlyCollection<ulong> givenUp, TimeProvider time, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(view);
        ArgumentNullException.ThrowIfNull(givenUp);
        ArgumentNullException.ThrowIfNull(time);
        if (givenUp.Any(id => view.Find(id) is not null))
        {
            return [];
        }
        List<Node> lost = store.Read(v => Among(v.List<Node>(), id => view.OfNode(id) is not null, ownNodeId)
            .Concat(v.List<Node>().Where(n => n.Id != ownNodeId && view.OfNode(n.Id) is null && givenUp.Any(g => MemberIds.IsOf(g, n.Id))))
            .DistinctBy(static n => n.Id).ToList());
        foreach (Node node in lost)
        {
            // Tasks first: once the node is gone nothing would lead back to those that a stop in between left over.
            await OrphanTasksAsync(store, node.Id, time, ct).ConfigureAwait(false);
            await store.UpdateAsync(
                tx =>
                {
                    if (tx.Get<Node>(node.Id) is { } stored && ClusterObject.Find(tx)?.Clone() is { } cluster)
                    {
                        NodeBlacklist.Add(cluster, stored, time.GetUtcNow());
                        tx.Update(cluster);
                        tx.Remove<Node>(stored.Id);
                    }
                },
                ct).ConfigureAwait(false);
        }
        return lost;
    }

    private static Task OrphanTasksAsync(ClusterStore store, string nodeId, TimeProvider time, CancellationToken ct) =>
        store.BatchAsync(
            store.Read(v => v.TasksByNode(nodeId).Where(IsUnderWay).Select(static t => t.Id).ToList()),
            (tx, id) =>
            {
                if (tx.Get<SwarmTask>(id) is { } stored && IsUnderWay(stored))
                {
                    tx.Update(Orphaned(stored, time.GetUtcNow()));
                }
            },
            ct);

    /// <summary>Whether a task may still run, for all that is known.</summary>
    internal static bool IsUnderWay(SwarmTask task) => (task.Status?.State ?? TaskState.New) < TaskState.Complete;

    /// <summary>The task as nobody is left to tell of it.</summary>
    internal static SwarmTask Orphaned(SwarmTask stored, DateTimeOffset now)
    {
        SwarmTask task = stored.Clone();
        task.Status = new()
        {
            State = TaskState.Orphaned,
            Timestamp = Timestamp.FromDateTimeOffset(now),
            Message = "its node was given up when the managers were recovered",
        };
        return task;
    }
}
