using Skep.Coordination.Tree;
using Skep.Jute;

namespace Skep.Coordination.Watches;

/// <summary>Who watches what, on one member. Costs by the watch: a node that nobody watches costs nothing here. One thread at a time.</summary>
internal sealed class WatchTable
{
    private const int ChildrenChanged = 4;
    private readonly Dictionary<string, Dictionary<long, (WatchMode Data, WatchMode Child)>> _byPath = [];
    private readonly Dictionary<long, HashSet<string>> _bySession = [];
    private int _recursive;

    /// <summary>Paths watched by one session are one watch each, whatever its kinds.</summary>
    public int Count { get; private set; }

    /// <summary>Paths that somebody watches.</summary>
    public int Paths => _byPath.Count;

    /// <summary>Sessions that watch something.</summary>
    public int Sessions => _bySession.Count;

    public IEnumerable<(long Session, IEnumerable<string> Paths)> BySession() => _bySession.Select(static s => (s.Key, (IEnumerable<string>)s.Value));

    public IEnumerable<(string Path, IEnumerable<long> Sessions)> ByPath() => _byPath.Select(static p => (p.Key, (IEnumerable<long>)p.Value.Keys));

    /// <summary>Does the session have a watch there in one of these tables?</summary>
    public bool Has(long sessionId, string path, WatchTables tables)
    {
        (WatchMode data, WatchMode child) = _byPath.GetValueOrDefault(path)?.GetValueOrDefault(sessionId) ?? default;
        return (tables.HasFlag(WatchTables.Data) && data != WatchMode.None) || (tables.HasFlag(WatchTables.Child) && child != WatchMode.None);
    }

    public void Add(long sessionId, string path, WatchKind kind)
    {
        if (!_byPath.TryGetValue(path, out Dictionary<long, (WatchMode Data, WatchMode Child)>? watchers))
        {
            _byPath[path] = watchers = [];
        }
        (WatchMode data, WatchMode child) = watchers.GetValueOrDefault(sessionId);
        Set(path, watchers, sessionId, kind switch
        {
            WatchKind.Data => (WatchMode.Once, child),
            WatchKind.Child => (data, WatchMode.Once),
            WatchKind.Persistent => (WatchMode.Persistent, WatchMode.Persistent),
            _ => (WatchMode.Recursive, WatchMode.Recursive),
        });
    }

    /// <summary>Takes watches away. False where the session has none there in these tables.</summary>
    public bool Remove(long sessionId, string path, WatchTables tables)
    {
        if (!Has(sessionId, path, tables))
        {
            return false;
        }
        Dictionary<long, (WatchMode Data, WatchMode Child)> watchers = _byPath[path];
        (WatchMode data, WatchMode child) = watchers[sessionId];
        Set(path, watchers, sessionId, (tables.HasFlag(WatchTables.Data) ? WatchMode.None : data, tables.HasFlag(WatchTables.Child) ? WatchMode.None : child));
        return true;
    }

    /// <summary>Forgets all of a session's watches: its connection is gone.</summary>
    public void RemoveSession(long sessionId)
    {
        foreach (string path in _bySession.GetValueOrDefault(sessionId)?.ToArray() ?? [])
        {
            Remove(sessionId, path, WatchTables.Both);
        }
    }

    /// <summary>
    /// The events of one change: of the node itself first, then of its parent's children. One session gets one event of a node's end,
    /// however many watches it has there. What fires once is gone afterwards.
    /// </summary>
    /// <param name="change">What happened.</param>
    /// <param name="mayRead">May this session read a node with that ACL? One that may not is not told, and its watch is gone all the same.</param>
    public List<WatchEvent> Fire(Change change, Func<long, IReadOnlyList<Acl>, bool> mayRead)
    {
        var events = new List<WatchEvent>();
        FireUpwards(WatchTables.Data, (int)change.Kind, change.Path, events);
        if (change.Kind == ChangeKind.Deleted)
        {
            FireUpwards(WatchTables.Child, (int)change.Kind, change.Path, events);
        }
        if (change.Kind != ChangeKind.DataChanged && Above(change.Path) is string parent)
        {
            FireAt(parent, WatchTables.Child, ChildrenChanged, parent, events, static mode => mode is WatchMode.Once or WatchMode.Persistent);
        }
        if (events.Count == 0)
        {
            return events;
        }
        // Two tables may tell the same of a node's end.
        return [.. events.Distinct().Where(e => mayRead(e.SessionId, (e.Type == ChildrenChanged ? change.ParentAcl : change.Acl) ?? []))];
    }

    private void FireUpwards(WatchTables table, int type, string path, List<WatchEvent> events)
    {
        FireAt(path, table, type, path, events, static _ => true);
        for (string? above = Above(path); _recursive > 0 && above is not null; above = Above(above))
        {
            FireAt(above, table, type, path, events, static mode => mode == WatchMode.Recursive);
        }
    }

    private void FireAt(string path, WatchTables table, int type, string told, List<WatchEvent> events, Func<WatchMode, bool> concerns)
    {
        if (!_byPath.TryGetValue(path, out Dictionary<long, (WatchMode Data, WatchMode Child)>? watchers))
        {
            return;
        }
        List<long>? over = null;
        foreach ((long session, (WatchMode data, WatchMode child)) in watchers)
        {
            WatchMode mode = table == WatchTables.Data ? data : child;
            if (mode == WatchMode.None || !concerns(mode))
            {
                continue;
            }
            events.Add(new WatchEvent(session, type, told));
            if (mode == WatchMode.Once)
            {
                (over ??= []).Add(session);
            }
        }
        foreach (long session in over ?? [])
        {
            Remove(session, path, table);
        }
    }

    private void Set(string path, Dictionary<long, (WatchMode Data, WatchMode Child)> watchers, long session, (WatchMode Data, WatchMode Child) after)
    {
        (WatchMode Data, WatchMode Child) before = watchers.GetValueOrDefault(session);
        _recursive += IsRecursive(after) - IsRecursive(before);
        if (after != default)
        {
            Count += before == default ? 1 : 0;
            watchers[session] = after;
            if (!_bySession.TryGetValue(session, out HashSet<string>? paths))
            {
                _bySession[session] = paths = [];
            }
            paths.Add(path);
            return;
        }
        Count -= before == default ? 0 : 1;
        watchers.Remove(session);
        if (watchers.Count == 0)
        {
            _byPath.Remove(path);
        }
        if (_bySession.TryGetValue(session, out HashSet<string>? left) && left.Remove(path) && left.Count == 0)
        {
            _bySession.Remove(session);
        }
    }

    private static int IsRecursive((WatchMode Data, WatchMode Child) modes) => modes.Data == WatchMode.Recursive || modes.Child == WatchMode.Recursive ? 1 : 0;

    private static string? Above(string path) => path == "/" ? null : path.LastIndexOf('/') is > 0 and int slash ? path[..slash] : "/";
}
