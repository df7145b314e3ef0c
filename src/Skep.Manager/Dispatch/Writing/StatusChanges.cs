using Docker.Swarmkit.V1;
using Google.Protobuf.WellKnownTypes;
using Skep.Store;
using TaskStatus = Docker.Swarmkit.V1.TaskStatus;

namespace Skep.Manager.Dispatch.Writing;

/// <summary>The changes the dispatcher makes to tasks and nodes. Each looks at the object as it is, so that it may be made twice.</summary>
internal static class StatusChanges
{
    /// <summary>The states of a task that its node may still be moving.</summary>
    public static bool IsUnderWay(SwarmTask task) => task.Status?.State is >= TaskState.Assigned and <= TaskState.Running;

    /// <summary>Takes what an agent observed, unless the task is further on already: observed states never go back.</summary>
    /// <returns>Whether anything was changed.</returns>
    public static bool Observe(WriteTransaction tx, string taskId, string nodeId, TaskStatus status, string appliedBy, DateTimeOffset now)
    {
        if (tx.Get<SwarmTask>(taskId) is not { } task || task.NodeId != nodeId)
        {
            return false;
        }
        TaskStatus current = task.Status ?? new();
        if (status.State < current.State || SameReport(current, status))
        {
            return false;
        }
        // Its lists stay as they are and are shared: a report concerns the status alone.
        SwarmTask changed = task.SharingCopy();
        changed.Status = status.Clone();
        changed.Status.AppliedBy = appliedBy;
        changed.Status.AppliedAt = Timestamp.FromDateTimeOffset(now);
        tx.Update(changed);
        return true;
    }

    /// <summary>Takes a registration: the node is ready, and is as it describes itself.</summary>
    public static void Register(WriteTransaction tx, string nodeId, NodeDescription? description, string? address)
    {
        if (tx.Get<Node>(nodeId) is not { } node)
        {
            return;
        }
        Node changed = node.Clone();
        changed.Status ??= new();
        changed.Status.State = NodeStatus.Types.State.Ready;
        changed.Status.Message = "";
        changed.Status.Addr = address ?? changed.Status.Addr;
        changed.Description = description ?? changed.Description;
        if (!changed.Equals(node))
        {
            tx.Update(changed);
        }
    }

    /// <summary>Marks a node, unless it is in that state already.</summary>
    public static void Mark(WriteTransaction tx, string nodeId, NodeStatus.Types.State state, string message)
    {
        if (tx.Get<Node>(nodeId) is not { } node || (node.Status?.State == state && node.Status.Message == message))
        {
            return;
        }
        Node changed = node.Clone();
        changed.Status ??= new();
        changed.Status.State = state;
        changed.Status.Message = message;
        tx.Update(changed);
    }

    /// <summary>Gives up a task whose node has been down for long: nobody knows whether it runs.</summary>
    public static void Orphan(WriteTransaction tx, string taskId, string appliedBy, DateTimeOffset now)
    {
        if (tx.Get<SwarmTask>(taskId) is { } task && IsUnderWay(task)
            && tx.Get<Node>(task.NodeId)?.Status?.State is null or NodeStatus.Types.State.Down)
        {
            SwarmTask changed = task.Clone();
            changed.Status.State = TaskState.Orphaned;
            changed.Status.Timestamp = changed.Status.AppliedAt = Timestamp.FromDateTimeOffset(now);
            changed.Status.AppliedBy = appliedBy;
            tx.Update(changed);
        }
    }

    /// <summary>Takes an agent's word that a volume is no longer published on its node, so that the manager's side may go on.</summary>
    public static void Unpublish(WriteTransaction tx, string volumeId, string nodeId)
    {
        if (tx.Get<Volume>(volumeId) is not { } volume)
        {
            return;
        }
        Volume changed = volume.Clone();
        foreach (VolumePublishStatus status in changed.PublishStatus.Where(s => s.NodeId == nodeId))
        {
            status.State = VolumePublishStatus.Types.State.PendingUnpublish;
        }
        if (!changed.Equals(volume))
        {
            tx.Update(changed);
        }
    }

    private static bool SameReport(TaskStatus current, TaskStatus report) =>
        current.State == report.State
        && current.Message == report.Message
        && current.Err == report.Err
        && Equals(current.Timestamp, report.Timestamp)
        && Equals(current.Container, report.Container)
        && Equals(current.PortStatus, report.PortStatus);
}
