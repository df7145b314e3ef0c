using Skep.Coordination.Tree;

namespace Skep.Simulation;

/// <summary>Containers and nodes with a time to live, as the group agreed on them: each goes once, when it is over and not before.</summary>
internal sealed class PassingTruth
{
    public const string Containers = "/k/";
    public const string TimesToLive = "/t/";
    private readonly Dictionary<string, Node> _there = [];

    /// <summary>How many the service took away.</summary>
    public int Removed { get; private set; }

    /// <summary>How long a node with a time to live may be left alone, by its name.</summary>
    public static int TtlMs(string path) => 1_500 + (2_000 * (path[^1] - '0'));

    /// <summary>What a write changed at a time, by the clock of whoever led.</summary>
    public void Changed(Change change, long timeMs, long zxid)
    {
        if (!change.Path.StartsWith(Containers, StringComparison.Ordinal) && !change.Path.StartsWith(TimesToLive, StringComparison.Ordinal))
        {
            return;
        }
        string parent = change.Path[..change.Path.LastIndexOf('/')];
        if (parent.Length > Containers.Length)
        {
            if (!_there.TryGetValue(parent, out Node? above))
            {
                throw new SimulationFailure("containers", $"{change.Path}: {change.Kind} at zxid {zxid}, where {parent} is not there");
            }
            above.Children += change.Kind switch { ChangeKind.Created => 1, ChangeKind.Deleted => -1, _ => 0 };
            above.HadChildren |= change.Kind == ChangeKind.Created;
        }
        else if (change.Kind == ChangeKind.Created)
        {
            _there.Add(change.Path, new Node { MtimeMs = timeMs });
        }
        else if (change.Kind == ChangeKind.DataChanged)
        {
            _there[change.Path].MtimeMs = timeMs;
        }
        else
        {
            Gone(change.Path, timeMs, zxid);
        }
    }

    /// <summary>Those that nothing keeps any more.</summary>
    public IEnumerable<string> Over(long nowMs) => _there.Where(n => IsOver(n.Key, n.Value, nowMs)).Select(static n => n.Key);

    private static bool IsOver(string path, Node node, long nowMs) =>
        node.Children == 0 && (path.StartsWith(Containers, StringComparison.Ordinal) ? node.HadChildren : nowMs - node.MtimeMs > TtlMs(path));

    private void Gone(string path, long timeMs, long zxid)
    {
        if (!_there.Remove(path, out Node? node))
        {
            throw new SimulationFailure("containers", $"{path} is removed at zxid {zxid}, and is not there");
        }
        if (!IsOver(path, node, timeMs))
        {
            throw new SimulationFailure("containers", $"{path} is removed at zxid {zxid} with {node.Children} children{(node.HadChildren ? "" : ", which it never had")}, {timeMs - node.MtimeMs} ms after it was last written");
        }
        Removed++;
    }

    private sealed class Node
    {
        public long MtimeMs { get; set; }

        public int Children { get; set; }

        public bool HadChildren { get; set; }
    }
}
