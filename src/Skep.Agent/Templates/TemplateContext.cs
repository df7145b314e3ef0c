using Docker.Swarmkit.V1;
using Skep.Agent.Tasks;

namespace Skep.Agent.Templates;

/// <summary>
/// What a template can see: <c>.Service.{ID,Name,Labels}</c>, <c>.Node.{ID,Hostname,Platform.{Architecture,OS}}</c>,
/// <c>.Task.{ID,Name,Slot}</c>. Source: moby/swarmkit template/context.go.
/// </summary>
internal sealed class TemplateContext
{
    private static readonly Dictionary<string, Func<IReadOnlyList<string>, string>> NoFunctions = [];

    public TemplateContext(
        SwarmTask task, NodeDescription? node, IReadOnlyDictionary<string, Func<IReadOnlyList<string>, string>>? functions = null)
    {
        Functions = functions ?? NoFunctions;
        Root = new Dictionary<string, object>
        {
            ["Service"] = new Dictionary<string, object>
            {
                ["ID"] = task.ServiceId,
                ["Name"] = task.ServiceAnnotations?.Name ?? "",
                ["Labels"] = Labels(task),
            },
            ["Node"] = new Dictionary<string, object>
            {
                ["ID"] = task.NodeId,
                ["Hostname"] = node?.Hostname ?? "",
                ["Platform"] = new Dictionary<string, object>
                {
                    ["Architecture"] = node?.Platform?.Architecture ?? "",
                    ["OS"] = node?.Platform?.Os ?? "",
                },
            },
            ["Task"] = new Dictionary<string, object>
            {
                ["ID"] = task.Id,
                ["Name"] = TaskParts.Name(task),
                ["Slot"] = task.Slot == 0 ? task.NodeId : task.Slot.ToString(),
            },
        };
    }

    /// <summary>Texts and maps of them.</summary>
    public IReadOnlyDictionary<string, object> Root { get; }

    /// <summary>Functions beyond those every template has.</summary>
    public IReadOnlyDictionary<string, Func<IReadOnlyList<string>, string>> Functions { get; }

    private static Dictionary<string, object> Labels(SwarmTask task) =>
        task.ServiceAnnotations?.Labels.ToDictionary(l => l.Key, l => (object)l.Value) ?? [];
}
