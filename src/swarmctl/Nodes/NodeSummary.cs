using Docker.Swarmkit.V1;
using Skep.Api;
using Swarmctl.Output;

namespace Swarmctl.Nodes;

/// <summary>A node as <c>node inspect</c> shows it.</summary>
internal static class NodeSummary
{
    public static TabText Of(Node node)
    {
        NodeDescription description = node.Description ?? new();
        TabText text = TabText.ForObject().LineIf("ID", node.Id).LineIf("Hostname", description.Hostname);
        if (node.Spec?.Annotations?.Labels is { Count: > 0 } labels)
        {
            text.Line("Node Labels\t: " + Pairs(labels));
        }
        text.Line("Status:\t")
            .LineIf("  State", WireNames.Of(node.Status?.State ?? default))
            .LineIf("  Message", node.Status?.Message)
            .LineIf("  Availability", WireNames.Of(node.Spec?.Availability ?? default))
            .LineIf("  Address", node.Status?.Addr);
        if (node.ManagerStatus is { } manager)
        {
            text.Line("Manager status:\t")
                .LineIf("  Address", manager.Addr)
                .LineIf("  Raft status", WireNames.Of(manager.Reachability))
                .LineIf("  Leader", manager.Leader ? "yes" : "no");
        }
        if (description.Platform is { } platform)
        {
            text.Line("Platform:\t").LineIf("  Operating System", platform.Os).LineIf("  Architecture", platform.Architecture);
        }
        if (description.Resources is { } resources)
        {
            text.Line("Resources:\t")
                .Line($"  CPUs\t: {resources.NanoCpus / 1_000_000_000}")
                .Line($"  Memory\t: {ByteSizes.Format(resources.MemoryBytes)}")
                .Line("  Generic Resources:\t");
            GenericResourceLines.Add(text, resources.Generic, "    ");
        }
        return description.Engine is { } engine ? AddEngine(text, engine) : text;
    }

    private static TabText AddEngine(TabText text, EngineDescription engine)
    {
        text.Line("Plugins:\t");
        foreach (IGrouping<string, string> names in engine.Plugins.GroupBy(p => p.Type, p => p.Name).OrderBy(g => g.Key, StringComparer.Ordinal))
        {
            text.Line($"  {names.Key}\t: [{string.Join(' ', names)}]");
        }
        text.LineIf("Engine Version", engine.EngineVersion);
        return engine.Labels.Count > 0 ? text.Line("Engine Labels\t: " + Pairs(engine.Labels)) : text;
    }

    private static string Pairs(IEnumerable<KeyValuePair<string, string>> labels) =>
        string.Join(' ', labels.OrderBy(l => l.Key, StringComparer.Ordinal).Select(l => $"{l.Key}={l.Value}"));
}
