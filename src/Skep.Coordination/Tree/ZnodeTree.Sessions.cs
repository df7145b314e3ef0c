using System.Text;

namespace Skep.Coordination.Tree;

internal sealed partial class ZnodeTree
{
    public IReadOnlyDictionary<long, Session> Sessions => _sessions;

    public void CreateSession(long sessionId, int timeoutMs, byte[] password, long zxid)
    {
        Begin(zxid);
        _sessions.TryAdd(sessionId, new Session(timeoutMs, password));
    }

    /// <summary>Ends a session, closed or expired: its ephemerals go, in the order of their paths.</summary>
    public void CloseSession(long sessionId, long zxid)
    {
        Begin(zxid);
        if (!_sessions.TryGetValue(sessionId, out Session? session))
        {
            return;
        }
        foreach ((string path, int id) in session.Ephemerals.Select(id => (PathOf(id), id)).OrderBy(e => e.Item1, StringComparer.Ordinal).ToArray())
        {
            Remove(id, path, zxid);
        }
        _sessions.Remove(sessionId);
    }

    /// <summary>
    /// Containers that had children and have none, and nodes whose time to live is over: the leader proposes deleteContainer for each.
    /// </summary>
    public IReadOnlyList<string> Passed(long nowMs, int most) => [.. _passing.Where(id => HasPassed(_nodes[id], nowMs)).Take(most).Select(PathOf)];

    private static bool HasPassed(in Node node, long nowMs) => node.ChildCount == 0
        && (node.Owner == Node.Container ? node.Creations > 0 : nowMs - node.MtimeMs > (node.Owner & Node.MaxTtlMs));
}
