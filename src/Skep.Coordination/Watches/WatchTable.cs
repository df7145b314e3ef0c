using Skep.Coordination.Tree;
using Skep.Jute;

namespace Skep.Coordination.Watches;

/// <summary>Who watches what, on one member. Costs by the watch: a node that nobody watches costs nothing here. One thread at a time.</summary>
internal sealed class WatchTable
{
    private const int ChildrenChanged = 4;
    private readonly Dictionary<string, Dictionary<long, WatchKind>> _byPath = [];
    private readonly Dictionary<long, HashSet<string>> _bySession = [];
    private int _recursive;

    /// <summary>Paths watched by one session are one watch each, whatever its kinds.</summary>
    public int Count { get; private set; }

    public void Add(long sessionId, string path, WatchKind kind)
    {
        if (!_byPath.TryGetValue(path, out Dictionary<long, WatchKind>? watchers))
        {
            _byPath[path] = watchers = [];
        }
        WatchKind before = watchers.GetValueOrDefault(sessionId);
        Set(watchers, sessionId, path, before, before | kind);
    }

    /// <summary>Takes kinds of watches away. False where the session has none of them there.</summary>
    public bool Remove(long sessionId, string path, WatchKind kinds)
    {
        if (!_byPath.TryGetValue(path, out Dictionary<long, WatchKind>? watchers)
            || !watchers.TryGetValue(sessionId, out WatchKind before) || (before & kinds) == 0)
        {
            return false;
        }
        Set(watchers, sessionId, path, before, before & ~kinds);
        return true;
    }

    /// <summary>Forgets all of a session's watches: its connection is gone.</summary>
    public void RemoveSession(long sessionId)
    {
        foreach (string path in _bySession.GetValueOrDefault(sessionId)?.ToArray() ?? [])
        {
            Remove(sessionId, path, (WatchKind)(-1));
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
        WatchKind own = change.Kind == ChangeKind.Deleted ? WatchKind.Data | WatchKind.Child : WatchKind.Data;
        FireAt(change.Path, own, WatchKind.Persistent | WatchKind.Recursive, (int)change.Kind, change.Path, events);
        for (string? above = Above(change.Path); _recursive > 0 && above is not null; above = Above(above))
        {
            FireAt(above, WatchKind.None, WatchKind.Recursive, (int)change.Kind, change.Path, events, unlessTold: true);
        }
        if (change.Kind != ChangeKind.DataChanged && Above(change.Path) is string parent)
        {
            FireAt(parent, WatchKind.Child, WatchKind.Persistent, ChildrenChanged, parent, events);
        }
        return [.. events.Where(e => mayRead(e.SessionId, (e.Type == ChildrenChanged ? change.ParentAcl : change.Acl) ?? []))];
    }

    private void FireAt(string path, WatchKind once, WatchKind lasting, int type, string told, List<WatchEvent> events, bool unlessTold = false)
    {
        if (!_byPath.TryGetValue(path, out Dictionary<long, WatchKind>? watchers))
        {
            return;
        }
        foreach ((long session, WatchKind kinds) in watchers.Where(w => (w.Value & (once | lasting)) != 0).ToArray())
        {
            var fired = new WatchEvent(session, type, told);
            if (!unlessTold || !events.Contains(fired))
            {
                events.Add(fired);
            }
            Set(watchers, session, path, kinds, kinds & ~once);
        }
    }

    private void Set(Dictionary<long, WatchKind> watchers, long session, string path, WatchKind before, WatchKind after)
    {
        _recursive += ((after & WatchKind.Recursive) != 0 ? 1 : 0) - ((before & WatchKind.Recursive) != 0 ? 1 : 0);
        Count += (after != 0 ? 1 : 0) - (before != 0 ? 1 : 0);
        if (after != 0)
        {
            watchers[session] = after;
            if (!_bySession.TryGetValue(session, out HashSet<string>? paths))
            {
                _bySession[session] = paths = [];
            }
            paths.Add(path);
            return;
        }
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

    private static string? Above(string path) => path == "/" ? null : path.LastIndexOf('/') is > 0 and int slash ? path[..slash] : "/";
}
