using Docker.Swarmkit.V1;
using TaskStatus = Docker.Swarmkit.V1.TaskStatus;

namespace Skep.Manager.Scheduling;

/// <summary>What the scheduler wants written of one task. It holds only while the task and the node are the ones it saw.</summary>
/// <param name="Task">The task as the scheduler saw it.</param>
/// <param name="Node">The node it goes to as the scheduler saw it; null when it goes nowhere.</param>
/// <param name="Status">Its new status, but for the time.</param>
/// <param name="Given">The generic resources it gets.</param>
internal sealed record Decision(SwarmTask Task, Node? Node, TaskStatus Status, IReadOnlyList<GenericResource> Given)
{
    /// <summary>A place for the task.</summary>
    public static Decision Assign(SwarmTask task, Node node, IReadOnlyList<GenericResource> given) =>
        new(task, node, new() { State = TaskState.Assigned, Message = "scheduler assigned task to node" }, given);

    /// <summary>The node the task is bound to can take it.</summary>
    public static Decision Confirm(SwarmTask task, Node node, IReadOnlyList<GenericResource> given) =>
        new(task, node, new() { State = TaskState.Assigned, Message = "scheduler confirmed task can run on preassigned node" }, given);

    /// <summary>The task waits on, and says why.</summary>
    public static Decision Wait(SwarmTask task, string why) =>
        new(task, null, new(task.Status) { Err = why }, []);

    /// <summary>The task is no longer wanted and was never placed, so nobody else will end it.</summary>
    public static Decision ShutDown(SwarmTask task) =>
        new(task, null, new(task.Status) { State = TaskState.Shutdown, Err = "" }, []);

    /// <summary>The task as it is to be written.</summary>
    public SwarmTask Apply(SwarmTask stored, Google.Protobuf.WellKnownTypes.Timestamp now)
    {
        // Lists are shared in the cheap copy, so a list that changes wants a deep one.
        bool listsChange = Given.Count > 0 || stored.AssignedGenericResources.Count > 0;
        SwarmTask changed = listsChange ? stored.Clone() : stored.SharingCopy();
        changed.Status = Status;
        changed.Status.Timestamp = now;
        if (Node is null)
        {
            return changed;
        }
        changed.NodeId = Node.Id;
        if (listsChange)
        {
            changed.AssignedGenericResources.Clear();
            changed.AssignedGenericResources.Add(Given);
        }
        return changed;
    }
}
