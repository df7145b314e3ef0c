using Skep.Jute;
using Swarmctl.Coordination.ZooKeeperFiles;

namespace Swarmctl.Coordination.Moving;

/// <summary>A node to be made.</summary>
/// <param name="Path">Where it is to be.</param>
/// <param name="Node">As it was stored.</param>
/// <param name="Children">How many of its children are to be made.</param>
/// <param name="Counter">What its counter of sequential names is to be; 0 where no child has such a name.</param>
/// <param name="NeedsKey">Whether its ACL keeps others from making its children, so that it gets its ACL after them.</param>
internal sealed record PlannedNode(string Path, StoredNode Node, int Children, int Counter, bool NeedsKey);

/// <summary>What of a stored tree is to be made where, parents first; pure.</summary>
internal sealed class ImportPlan
{
    // A step is two operations; beyond so many they would take longer than everything else.
    private const int MostCounterSteps = 1_000_000;
    private const int SequenceDigits = 10;
    private const int Create = 4;
    private const int Delete = 8;

    private ImportPlan(string into) => Into = into;

    public string Into { get; }

    public List<PlannedNode> Nodes { get; } = [];

    public long DataBytes { get; private set; }

    public int Ephemerals { get; private set; }

    public int Sessions { get; private set; }

    /// <summary>Whether there are nodes below the name that Skep keeps for itself.</summary>
    public bool IsSkepLeftOut { get; private set; }

    /// <summary>Nodes whose counter of sequential names stays behind: their counter would take too long.</summary>
    public List<string> CountersLeft { get; } = [];

    /// <param name="tree">What is stored.</param>
    /// <param name="into">The node that the tree's root becomes.</param>
    public static ImportPlan Of(StoredTree tree, string into)
    {
        var plan = new ImportPlan(into) { Sessions = tree.Sessions.Count };
        var kept = new List<(string Path, StoredNode Node)>();
        var children = new Dictionary<string, Below>();
        foreach ((string path, StoredNode node) in tree.Nodes.OrderBy(static n => n.Key, StringComparer.Ordinal))
        {
            if (ServersOwn.Holds(path))
            {
                plan.IsSkepLeftOut |= path.StartsWith("/skep/", StringComparison.Ordinal);
                continue;
            }
            if (node.Kind == NodeKind.Ephemeral)
            {
                plan.Ephemerals++;
                continue;
            }
            kept.Add((path, node));
            if (path != "/")
            {
                Below above = children.GetValueOrDefault(StoredTree.ParentOf(path));
                children[StoredTree.ParentOf(path)] = new Below(above.Count + 1, above.HasSequence || EndsInNumber(path));
            }
        }
        int budget = MostCounterSteps;
        foreach ((string path, StoredNode node) in kept)
        {
            Below below = children.GetValueOrDefault(path);
            int counter = below.HasSequence && node.Creations > below.Count ? node.Creations : 0;
            if (counter - below.Count > budget)
            {
                plan.CountersLeft.Add(path);
                counter = 0;
            }
            budget -= Math.Max(0, counter - below.Count);
            plan.DataBytes += node.Data?.Length ?? 0;
            bool isClosed = !AnyoneMay(node.Acl, counter > 0 ? Create | Delete : Create);
            plan.Nodes.Add(new PlannedNode(Join(into, path), node, below.Count, counter, below.Count > 0 && isClosed));
        }
        return plan;
    }

    private static string Join(string into, string path) => into == "/" ? path : path == "/" ? into : into + path;

    private static bool EndsInNumber(string path) =>
        path.Length - path.LastIndexOf('/') > SequenceDigits && !path.AsSpan(path.Length - SequenceDigits).ContainsAnyExceptInRange('0', '9');

    private static bool AnyoneMay(IReadOnlyList<Acl> acl, int permissions) =>
        acl.Any(a => a.Id is { Scheme: "world", Name: "anyone" } && (a.Perms & permissions) == permissions);

    private readonly record struct Below(int Count, bool HasSequence);
}
