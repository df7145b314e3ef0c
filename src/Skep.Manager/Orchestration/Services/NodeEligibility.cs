using Docker.Swarmkit.V1;
using Skep.Manager.Scheduling;

namespace Skep.Manager.Orchestration;

/// <summary>Which nodes a global service or job is meant for; what each has room for is the scheduler's to say.</summary>
internal sealed class NodeEligibility(Service service)
{
    private readonly TaskRequirements requirements = TaskRequirements.Of(service);

    /// <summary>Whether the service is to have a task on the node.</summary>
    public bool IsFor(Node? node) => !TaskFacts.IsLost(node)
        && Feasibility.Fits(requirements, new NodeState(node!), FeasibilityFilters.Constraints | FeasibilityFilters.Platform);

    /// <summary>Whether the node takes new tasks; a paused one keeps those it has.</summary>
    public static bool TakesNew(Node node) => (node.Spec?.Availability ?? NodeSpec.Types.Availability.Active) == NodeSpec.Types.Availability.Active;
}
