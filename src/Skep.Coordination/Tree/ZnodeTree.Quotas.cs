using Skep.Jute;

namespace Skep.Coordination.Tree;

/// <summary>
/// ZooKeeper's quotas: <c>/zookeeper/quota/PATH/zookeeper_limits</c> gives the subtree at PATH limits, and what it has stands in
/// <c>zookeeper_stats</c> beside it. A node counts for the nearest quota above it alone, and the root has none.
/// </summary>
internal sealed partial class ZnodeTree
{
    private const string QuotaPath = "/zookeeper/quota";
    private const string Limits = "/zookeeper_limits";
    private const string Stats = "/zookeeper_stats";

    private readonly HashSet<string> _quotas = new(StringComparer.Ordinal);
    private readonly List<OverQuota> _overQuotas = [];

    /// <summary>Whether hard limits refuse writes: said by each command, so that all members agree.</summary>
    public bool EnforcesQuotas { get; set; }

    /// <summary>Quotas that the last request went beyond.</summary>
    public IReadOnlyList<OverQuota> OverQuotas => _overQuotas;

    private string? QuotaOf(string path)
    {
        if (_quotas.Count == 0)
        {
            return null;
        }
        HashSet<string>.AlternateLookup<ReadOnlySpan<char>> quotas = _quotas.GetAlternateLookup<ReadOnlySpan<char>>();
        for (int end = path.Length; end > 0; end = path.LastIndexOf('/', end - 1))
        {
            if (quotas.TryGetValue(path.AsSpan(0, end), out string? found))
            {
                return found;
            }
        }
        return null;
    }

    private ErrorCode CheckQuota(Caller caller, string path, long moreBytes, int moreNodes)
    {
        if (caller.SessionId == Caller.OwnId || QuotaOf(path) is not string quota || Find(QuotaPath + quota + Stats) is not (not 0 and int stats))
        {
            return ErrorCode.Ok;
        }
        QuotaFigures limits = FiguresOf(Find(QuotaPath + quota + Limits));
        QuotaFigures used = FiguresOf(stats);
        return IsAllowed(quota, "count", used.Count, moreNodes, limits.Count, limits.CountHardLimit)
            && IsAllowed(quota, "bytes", used.Bytes, moreBytes, limits.Bytes, limits.ByteHardLimit) ? ErrorCode.Ok : ErrorCode.QuotaExceeded;
    }

    // Where there is a hard limit the soft one says nothing, and who is beyond it may not even take away a part: as in ZooKeeper.
    private bool IsAllowed(string quota, string of, long used, long more, long soft, long hard)
    {
        bool isHard = hard > -1;
        long limit = isHard ? hard : soft;
        long wanted = unchecked(used + more);
        if (more == 0 || limit <= -1 || wanted <= limit)
        {
            return true;
        }
        bool isRefused = isHard && EnforcesQuotas;
        _overQuotas.Add(new OverQuota(quota, of, wanted, limit, isHard, isRefused));
        return !isRefused;
    }

    /// <summary>Keeps what was made or removed in mind: a quota itself, or what one counts.</summary>
    private void Account(string path, long moreBytes, int moreNodes)
    {
        if (path.StartsWith(QuotaPath + "/", StringComparison.Ordinal))
        {
            AccountQuota(path, moreNodes);
        }
        if (QuotaOf(path) is string quota && Find(QuotaPath + quota + Stats) is not 0 and int stats)
        {
            QuotaFigures used = FiguresOf(stats);
            SetStats(stats, used with { Count = unchecked(used.Count + moreNodes), Bytes = unchecked(used.Bytes + moreBytes) });
        }
    }

    private void AccountQuota(string path, int moreNodes)
    {
        string? quota = path.EndsWith(Limits, StringComparison.Ordinal) ? path[QuotaPath.Length..^Limits.Length] : null;
        if (moreNodes > 0 && !string.IsNullOrEmpty(quota) && _quotas.Add(quota))
        {
            _undo?.Push(() => _quotas.Remove(quota));
        }
        else if (moreNodes < 0 && quota is not null && _quotas.Remove(quota))
        {
            _undo?.Push(() => _quotas.Add(quota));
        }
        if (moreNodes > 0 && path.EndsWith(Stats, StringComparison.Ordinal) && path.Length > QuotaPath.Length + Stats.Length)
        {
            // What is there already counts from here on.
            SetStats(Find(path), Measure(Find(path[QuotaPath.Length..^Stats.Length])));
        }
    }

    private QuotaFigures Measure(int top)
    {
        (long count, long bytes) = (0, 0);
        var todo = new Stack<int>(top == 0 ? [] : [top]);
        while (todo.TryPop(out int id))
        {
            count++;
            bytes += _nodes[id].Data?.Length ?? 0;
            for (int child = _nodes[id].FirstChild; child != 0; child = _nodes[child].Next)
            {
                todo.Push(child);
            }
        }
        return QuotaFigures.None with { Count = count, Bytes = bytes };
    }

    private QuotaFigures FiguresOf(int id) => id == 0 ? QuotaFigures.None : QuotaFigures.Parse(_nodes[id].Data.GetValueOrDefault().Span);

    // No version, no time, no event: as in ZooKeeper it is the server's own figure, and no write.
    private void SetStats(int id, QuotaFigures figures)
    {
        ref Node node = ref _nodes.Write(id);
        (byte[]? blob, int nameLength) = (node.Blob, node.NameLength);
        node.SetBlob(node.Name.Span, figures.ToStats());
        int grownBy = node.Blob!.Length - blob!.Length;
        SizeBytes += grownBy;
        _undo?.Push(() =>
        {
            ref Node back = ref _nodes.Write(id);
            (back.Blob, back.NameLength) = (blob, nameLength);
            SizeBytes -= grownBy;
        });
    }

    // Of a tree that was read: its figures are in it, and counted again they could be others than at other members.
    private void CollectQuotas()
    {
        var todo = new Stack<int>([Find(QuotaPath)]);
        while (todo.TryPop(out int id))
        {
            for (int child = id == 0 ? 0 : _nodes[id].FirstChild; child != 0; child = _nodes[child].Next)
            {
                todo.Push(child);
                if (_nodes[child].Name.Span.SequenceEqual("zookeeper_limits"u8) && PathOf(id) is var of && of != QuotaPath)
                {
                    _quotas.Add(of[QuotaPath.Length..]);
                }
            }
        }
    }
}
