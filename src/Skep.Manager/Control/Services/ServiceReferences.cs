using Docker.Swarmkit.V1;
using Grpc.Core;
using Skep.Manager.Control.Rules;
using Skep.Store;
using Skep.V1;

namespace Skep.Manager.Control.Services;

/// <summary>The objects a service refers to, and the services that refer to an object.</summary>
internal static class ServiceReferences
{
    /// <summary>Refuses a spec that refers to what is not there.</summary>
    public static void Check(IStoreView view, ServiceSpec spec)
    {
        foreach (NetworkAttachmentConfig attachment in NetworksOf(spec))
        {
            Network network = view.Get<Network>(attachment.Target)
                ?? throw Refusal.Invalid($"network {attachment.Target} not found");
            if (IngressNetwork.Is(network))
            {
                throw Refusal.Invalid($"Service cannot be explicitly attached to the ingress network {Refusal.Quote(network.Spec.Annotations.Name)}");
            }
        }
        CheckThere("secret", SecretsOf(spec.Task), (id, name) => view.Get<Secret>(id) is { } s && IsCalled(s.Spec?.Annotations, name));
        CheckThere("config", ConfigsOf(spec.Task), (id, name) => view.Get<Config>(id) is { } c && IsCalled(c.Spec?.Annotations, name));
        if (spec.Task.ResourceReferences.FirstOrDefault(r => !Exists(view, r)) is { } missing)
        {
            throw Refusal.Invalid($"resource {missing.ResourceId} not found");
        }
    }

    /// <summary>Networks of a service; those of its task, or the service's own of old clients.</summary>
    public static IEnumerable<NetworkAttachmentConfig> NetworksOf(ServiceSpec? spec)
    {
#pragma warning disable CS0612 // old clients still write it
        return spec?.Task?.Networks is { Count: > 0 } networks ? networks : spec?.Networks ?? [];
#pragma warning restore CS0612
    }

    /// <summary>Names of the services that use a secret, sorted.</summary>
    public static List<string> UsingSecret(IStoreView view, string id) => Using(view, ResourceType.Secret, id, SecretsOf);

    /// <summary>Names of the services that use a config, sorted.</summary>
    public static List<string> UsingConfig(IStoreView view, string id) => Using(view, ResourceType.Config, id, ConfigsOf);

    private static List<string> Using(IStoreView view, ResourceType type, string id, Func<TaskSpec?, IEnumerable<(string Id, string Name)>> references) =>
        [
            .. view.List<Service>()
                .Where(s => references(s.Spec?.Task).Any(r => r.Id == id)
                    || (s.Spec?.Task?.ResourceReferences.Any(r => r.ResourceType == type && r.ResourceId == id) ?? false))
                .Select(s => s.Spec.Annotations.Name)
                .Order(StringComparer.Ordinal),
        ];

    private static IEnumerable<(string Id, string Name)> SecretsOf(TaskSpec? spec) =>
        (spec?.Container?.Secrets ?? Process(spec)?.Secrets ?? []).Select(s => (s.SecretId, s.SecretName));

    private static IEnumerable<(string Id, string Name)> ConfigsOf(TaskSpec? spec) =>
        (spec?.Container?.Configs ?? Process(spec)?.Configs ?? []).Select(c => (c.ConfigId, c.ConfigName));

    // New specs have been checked. One from elsewhere that cannot be read refers to nothing that could be told.
    private static ProcessSpec? Process(TaskSpec? spec)
    {
        try
        {
            return GenericRuntimeRules.ProcessOf(spec);
        }
        catch (RpcException)
        {
            return null;
        }
    }

    private static void CheckThere(string kind, IEnumerable<(string Id, string Name)> references, Func<string, string, bool> isThere)
    {
        List<string> missing = [.. references.Where(r => !isThere(r.Id, r.Name)).Select(r => r.Name)];
        if (missing.Count > 0)
        {
            throw Refusal.Invalid($"{kind}{(missing.Count == 1 ? "" : "s")} not found: {string.Join(", ", missing)}");
        }
    }

    private static bool IsCalled(Annotations? annotations, string name) => (annotations?.Name ?? "") == name;

    // References to tasks are for volumes of plugins; nobody can tell here what they mean.
    private static bool Exists(IStoreView view, ResourceReference reference) => reference.ResourceType switch
    {
        ResourceType.Secret => view.Get<Secret>(reference.ResourceId) is not null,
        ResourceType.Config => view.Get<Config>(reference.ResourceId) is not null,
        _ => true,
    };
}
