using Docker.Swarmkit.V1;

namespace Skep.Api;

/// <summary>
/// What an agent says in its node description about the runtimes it has, so that only tasks it can run come to it.
/// That an agent is Skep's own is said by an engine label (Skep.Identity.SkepMark.EngineLabel).
/// </summary>
public static class NodeTraits
{
    /// <summary>Type of the plugin entries that name a generic runtime; the entry's name is the runtime's kind.</summary>
    public const string RuntimePluginType = "Runtime";

    /// <summary>Kind of the runtime that runs processes of the host.</summary>
    public const string ProcessRuntime = "process";

    /// <summary>The entry an agent with the process runtime adds to EngineDescription.plugins, engine or not.</summary>
    public static PluginDescription NewProcessRuntimePlugin() => new() { Type = RuntimePluginType, Name = ProcessRuntime };

    /// <summary>Whether a container engine answers on the node: only then does its description have an engine version.</summary>
    public static bool HasEngine(NodeDescription? description) => !string.IsNullOrEmpty(description?.Engine?.EngineVersion);

    /// <summary>Whether the node runs tasks of a generic runtime of this kind.</summary>
    public static bool HasRuntime(NodeDescription? description, string kind)
    {
        if (description?.Engine is { } engine)
        {
            foreach (PluginDescription plugin in engine.Plugins)
            {
                if (plugin.Type == RuntimePluginType && plugin.Name == kind)
                {
                    return true;
                }
            }
        }
        return false;
    }
}
