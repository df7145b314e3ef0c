using Docker.Swarmkit.V1;

namespace Swarmctl.Output;

/// <summary>The secrets and configs that a container refers to.</summary>
internal static class ReferenceLines
{
    public static void Add(TabText text, ContainerSpec container, bool withIds)
    {
        if (container.Secrets.Count > 0)
        {
            text.Line("  Secrets:");
            foreach (SecretReference r in container.Secrets)
            {
                text.Line(Reference(r.File, r.SecretName, withIds ? r.SecretId : null));
            }
        }
        if (container.Configs.Count > 0)
        {
            text.Line("  Configs:");
            foreach (ConfigReference r in container.Configs)
            {
                text.Line(Reference(r.File, r.ConfigName, withIds ? r.ConfigId : null));
            }
        }
    }

    private static string Reference(FileTarget? file, string name, string? id) =>
        $"    [{(file is null ? "" : "FILE")}] {name}{(id is null ? "" : "@" + id)}:{file?.Name}";
}
