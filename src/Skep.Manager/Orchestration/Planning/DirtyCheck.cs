using Docker.Swarmkit.V1;
using Skep.Manager.Scheduling;

namespace Skep.Manager.Orchestration;

/// <summary>
/// Whether a task is still as its service's spec says (facts: moby/swarmkit manager/orchestrator/task.go). One of these serves
/// all tasks of one service at one moment.
/// </summary>
internal sealed class DirtyCheck(Service service)
{
    private readonly TaskSpec spec = service.Spec?.Task ?? new();
    private readonly EndpointSpec endpoint = service.Spec?.Endpoint ?? new();
    private TaskRequirements? requirements;

    /// <summary>Whether an update must replace the task.</summary>
    /// <param name="task">The task.</param>
    /// <param name="node">The node it is on, or null.</param>
    public bool IsDirty(SwarmTask task, Node? node)
    {
        // Another version may still have an equal task spec: scaling alone makes one. The same version never has another.
        if (task.SpecVersion is { } made && service.SpecVersion is { } current && made.Index == current.Index)
        {
            return false;
        }
        return !SameEndpoint(task) || !SameSpec(task, node);
    }

    private bool SameEndpoint(SwarmTask task) => endpoint.Equals(task.Endpoint?.Spec ?? new());

    private bool SameSpec(SwarmTask task, Node? node)
    {
        TaskSpec had = task.Spec ?? new();
        if (ReferenceEquals(had, spec) || had.Equals(spec))
        {
            return true;
        }
        TaskSpec wanted = spec.Clone();
        if (IsPulled(task) && wanted.Container is { } container && had.Container is { } hadContainer)
        {
            // The image is there already; new credentials to pull it with are no reason to stop what runs.
            container.PullOptions = hadContainer.PullOptions?.Clone();
        }
        if (wanted.Equals(had))
        {
            return true;
        }
        if (node is null || Equals(spec.Placement, had.Placement))
        {
            return false;
        }
        // Placement alone changed: the task may stay where its node suits the new one.
        wanted.Placement = had.Placement?.Clone();
        return wanted.Equals(had) && Suits(node);
    }

    private bool Suits(Node node) => Feasibility.Fits(
        requirements ??= TaskRequirements.Of(service),
        new NodeState(node),
        FeasibilityFilters.Constraints | FeasibilityFilters.Platform);

    private static bool IsPulled(SwarmTask task) =>
        task.IsWanted() && task.Observed() is >= TaskState.Ready and <= TaskState.Running;
}
