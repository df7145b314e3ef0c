using Docker.Swarmkit.V1;

namespace Skep.Manager.Orchestration;

/// <summary>A task with the desired state the plan gives it; later parts of a plan see what earlier ones decided.</summary>
internal sealed class PlannedTask(SwarmTask task)
{
    /// <summary>The task as the store has it, or as the plan creates it.</summary>
    public SwarmTask Task { get; } = task;

    /// <summary>Its id.</summary>
    public string Id => Task.Id;

    /// <summary>The state it is to have.</summary>
    public TaskState Desired { get; set; } = task.DesiredState;

    /// <summary>The state the agent last reported.</summary>
    public TaskState Observed => Task.Observed();

    /// <summary>Whether it is wanted to run or to complete.</summary>
    public bool IsWanted => Desired <= TaskState.Complete;

    /// <summary>Whether it runs no more.</summary>
    public bool HasEnded => Task.HasEnded();
}
