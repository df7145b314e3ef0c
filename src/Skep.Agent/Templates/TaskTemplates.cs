using Docker.Swarmkit.V1;
using Google.Protobuf;
using Google.Protobuf.Collections;
using Google.Protobuf.WellKnownTypes;
using Skep.Agent.Executors;
using Skep.Agent.Tasks;

namespace Skep.Agent.Templates;

/// <summary>Expands the templates in a task's spec: environment, hostname and mounts. Source: moby/swarmkit template/expand.go.</summary>
internal static class TaskTemplates
{
    /// <summary>A copy of the task with everything expanded.</summary>
    /// <exception cref="TaskRejectedException">A template is wrong; the field is named.</exception>
    public static SwarmTask Expand(SwarmTask task, NodeDescription? node)
    {
        var context = new TemplateContext(task, node);
        var expanded = task.Clone();
        if (expanded.Spec?.Container is { } container)
        {
            container.Hostname = Expand(container.Hostname, "hostname", context);
            Expand(container.Env, context);
            Expand(container.Mounts, context);
        }
        else if (TaskParts.Process(task) is { } process)
        {
            process.Hostname = Expand(process.Hostname, "hostname", context);
            Expand(process.Env, context);
            Expand(process.Mounts, context);
            expanded.Spec!.Generic.Payload = new Any { TypeUrl = TaskParts.ProcessTypeUrl, Value = process.ToByteString() };
        }

        return expanded;
    }

    private static void Expand(RepeatedField<string> env, TemplateContext context)
    {
        for (var i = 0; i < env.Count; i++)
        {
            var parts = env[i].Split('=', 2);
            if (parts.Length == 2)
            {
                env[i] = $"{parts[0]}={Expand(parts[1], $"env {parts[0]}", context)}";
            }
        }
    }

    private static void Expand(RepeatedField<Mount> mounts, TemplateContext context)
    {
        foreach (var mount in mounts)
        {
            mount.Source = Expand(mount.Source, "mount source", context);
            mount.Target = Expand(mount.Target, "mount target", context);
            Expand(mount.VolumeOptions?.Labels, "volume label", context);
            Expand(mount.VolumeOptions?.DriverConfig?.Options, "volume driver option", context);
        }
    }

    private static void Expand(MapField<string, string>? values, string field, TemplateContext context)
    {
        foreach (var (key, value) in values?.ToList() ?? [])
        {
            values![key] = Expand(value, $"{field} {key}", context);
        }
    }

    private static string Expand(string text, string field, TemplateContext context)
    {
        try
        {
            return Template.Expand(text, context);
        }
        catch (TemplateException e)
        {
            throw new TaskRejectedException($"expanding {field} failed: {e.Message}", e);
        }
    }
}
