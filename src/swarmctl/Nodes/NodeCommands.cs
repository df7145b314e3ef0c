using System.CommandLine;
using Docker.Swarmkit.V1;
using Skep.Api;
using Swarmctl.Connection;
using Swarmctl.Flags;
using Swarmctl.Output;
using Swarmctl.Tasks;

namespace Swarmctl.Nodes;

/// <summary><c>swarmctl node …</c></summary>
internal static class NodeCommands
{
    private static readonly Argument<string[]> Words = Verb.Words("node ID");
    private static readonly Option<bool> Quiet = CommonFlags.Quiet("Only display IDs");
    private static readonly Option<bool> AllTasks = CommonFlags.AllTasks();
    private static readonly Option<bool> Force = new("--force", "-f") { Description = "Force the removal of a node" };
    private static readonly Option<string[]> Label = CommonFlags.List("--label", "node label (key=value)");

    public static Command All() => Verb.Group(
        "node", "Node management",
        Verb.Make("activate", "Activate a node", (s, ct) => ChangeAsync(s, n => n.Availability = NodeSpec.Types.Availability.Active, ct), Words),
        Verb.Make("demote", "Demote a node from a manager to a worker", (s, ct) => ChangeAsync(s, n => n.DesiredRole = NodeRole.Worker, ct), Words),
        Verb.Make("drain", "Drain a node", (s, ct) => ChangeAsync(s, n => n.Availability = NodeSpec.Types.Availability.Drain, ct), Words),
        Verb.Make("inspect", "Inspect a node", InspectAsync, Words, AllTasks),
        Verb.Make("ls", "List nodes", ListAsync, Quiet),
        Verb.Make("pause", "Pause a node", (s, ct) => ChangeAsync(s, n => n.Availability = NodeSpec.Types.Availability.Pause, ct), Words),
        Verb.Make("promote", "Promote a node to a manager", (s, ct) => ChangeAsync(s, n => n.DesiredRole = NodeRole.Manager, ct), Words),
        Verb.Make("remove", "Remove a node", RemoveAsync, Words, Force).Alias("rm"),
        Verb.Make("update", "Update a node", (s, ct) => ChangeAsync(s, n => Relabel(s, n), ct), Words, Label));

    private static async Task ListAsync(Session s, CancellationToken ct)
    {
        var nodes = (await s.Control.ListNodesAsync(new(), cancellationToken: ct).ConfigureAwait(false)).Nodes.OrderBy(n => n.Id, StringComparer.Ordinal).ToList();
        if (s.Json)
        {
            s.WriteJson(nodes);
            return;
        }
        if (s.Flags.GetValue(Quiet))
        {
            nodes.ForEach(n => s.Output.WriteLine(n.Id));
            return;
        }
        TabText table = TabText.ForList().Header("ID", "Name", "Membership", "Status", "Availability", "Manager Status");
        foreach (Node node in nodes)
        {
            string name = node.Spec?.Annotations?.Name is { Length: > 0 } given ? given : node.Description?.Hostname ?? "";
            string manager = node.ManagerStatus is { } m ? WireNames.Of(m.Reachability) + (m.Leader ? " *" : "") : "";
            table.Line(string.Join('\t', node.Id, name, WireNames.Of(node.Spec!.Membership), WireNames.Of(node.Status?.State ?? default), WireNames.Of(node.Spec.Availability), manager));
        }
        s.Output.Write(table);
    }

    private static async Task InspectAsync(Session s, CancellationToken ct)
    {
        Node node = await s.NodeAsync(s.One(Words, "node ID missing"), ct).ConfigureAwait(false);
        if (s.Json)
        {
            s.WriteJson(node);
            return;
        }
        var tasks = (await s.Control.ListTasksAsync(new() { Filters = new() { NodeIds = { node.Id } } }, cancellationToken: ct).ConfigureAwait(false)).Tasks;
        s.Output.Write(NodeSummary.Of(node));
        if (tasks.Count > 0)
        {
            s.Output.WriteLine();
            await TaskTable.WriteAsync(s, tasks, s.Flags.GetValue(AllTasks), ct).ConfigureAwait(false);
        }
    }

    private static async Task ChangeAsync(Session s, Action<NodeSpec> change, CancellationToken ct)
    {
        string name = s.One(Words, "node ID missing");
        NodeSpec? wanted = null;
        await VersionedChange.MakeAsync(
            () => s.NodeAsync(name, ct),
            node => node.Meta?.Version,
            async node =>
            {
                NodeSpec spec = wanted = node.Spec.Clone();
                change(spec);
                if (spec.Equals(node.Spec))
                {
                    throw new UserException("node attribute was already set to the requested value");
                }
                return (await s.Control.UpdateNodeAsync(new() { NodeId = node.Id, NodeVersion = node.Meta?.Version, Spec = spec }, cancellationToken: ct).ConfigureAwait(false)).Node;
            },
            node => node.Spec.Equals(wanted)).ConfigureAwait(false);
    }

    private static void Relabel(Session s, NodeSpec spec)
    {
        if (s.Has(Label))
        {
            spec.Annotations ??= new();
            spec.Annotations.Labels.Clear();
            spec.Annotations.Labels.Add(s.Labels(Label));
        }
    }

    private static async Task RemoveAsync(Session s, CancellationToken ct)
    {
        Node node = await s.NodeAsync(s.One(Words, "node ID missing"), ct).ConfigureAwait(false);
        await s.Control.RemoveNodeAsync(new() { NodeId = node.Id, Force = s.Flags.GetValue(Force) }, cancellationToken: ct).ConfigureAwait(false);
        s.Output.WriteLine(node.Id);
    }
}
