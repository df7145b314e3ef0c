using Docker.Swarmkit.V1;

namespace Skep.Manager.Orchestration;

/// <summary>Changes that are committed together or not at all.</summary>
internal abstract record PlanStep;

/// <summary>Tasks created and moved, at most <see cref="MaxChanges"/> of them.</summary>
/// <param name="ServiceId">Their service; nothing is created once it is gone.</param>
/// <param name="Create">New tasks.</param>
/// <param name="Move">Desired states; a task that has the state already, a later one, or is gone is left alone.</param>
internal sealed record TaskStep(string ServiceId, IReadOnlyList<SwarmTask> Create, IReadOnlyList<TaskMove> Move) : PlanStep
{
    /// <summary>A batch keeps room for as many changes of one step (<see cref="Store.ClusterStore.BatchAsync"/>).</summary>
    public const int MaxChanges = 8;
}

/// <summary>A task's new desired state.</summary>
internal readonly record struct TaskMove(string TaskId, TaskState Desired);

/// <summary>What becomes of a service's update.</summary>
internal enum UpdateTransition
{
    /// <summary>It starts.</summary>
    Start,

    /// <summary>Every slot is as the spec says, and nothing failed while it was watched.</summary>
    Complete,

    /// <summary>Too much failed: it stops where it is.</summary>
    Pause,

    /// <summary>Too much failed: the previous spec comes back.</summary>
    RollBack,
}

/// <summary>Moves the update of a service on; left out where the service has another spec by now.</summary>
internal sealed record UpdateStep(string ServiceId, ServiceSpec Spec, UpdateTransition Transition, string Message) : PlanStep;

/// <summary>Removes a service that waited for the last of its tasks to go.</summary>
internal sealed record RemoveServiceStep(string ServiceId) : PlanStep;
