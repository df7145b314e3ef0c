using Docker.Swarmkit.V1;

namespace Skep.Manager.Dispatch.Assignments;

/// <summary>A secret or config.</summary>
internal readonly record struct Dependency(ResourceType Type, string Id);

/// <summary>What a task needs on its node.</summary>
internal static class TaskDependencies
{
    /// <summary>The secrets and configs a task refers to, once each.</summary>
    public static IReadOnlyCollection<Dependency> Of(SwarmTask task)
    {
        var result = new HashSet<Dependency>();
        foreach (ResourceReference reference in task.Spec?.ResourceReferences ?? [])
        {
            if (reference.ResourceType is ResourceType.Secret or ResourceType.Config)
            {
                result.Add(new(reference.ResourceType, reference.ResourceId));
            }
        }
        if (task.Spec?.Container is { } container)
        {
            result.UnionWith(container.Secrets.Select(s => new Dependency(ResourceType.Secret, s.SecretId)));
            result.UnionWith(container.Configs.Select(c => new Dependency(ResourceType.Config, c.ConfigId)));
        }
        return result;
    }
}
