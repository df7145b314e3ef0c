using Docker.Swarmkit.V1;

namespace Skep.Agent.Executors.Docker;

/// <summary>Tells a task which user-defined resources are its own: DOCKER_RESOURCE_GPU=id1,id2. Source: moby/swarmkit api/genericresource.</summary>
internal static class GenericResourceEnv
{
    public static IEnumerable<string> Of(SwarmTask task) => task.AssignedGenericResources
        .Select(r => r.ResourceCase == GenericResource.ResourceOneofCase.NamedResourceSpec
            ? (r.NamedResourceSpec.Kind, r.NamedResourceSpec.Value)
            : (Kind: r.DiscreteResourceSpec?.Kind ?? "", Value: r.DiscreteResourceSpec?.Value.ToString() ?? ""))
        .GroupBy(r => r.Kind, StringComparer.Ordinal)
        .Select(g => $"DOCKER_RESOURCE_{g.Key.ToUpperInvariant()}={string.Join(',', g.Select(r => r.Value))}");
}
