using System.Security.Cryptography;
using Skep.Jute;

namespace Skep.Coordination.Tree;

/// <summary>A connection that takes a session up: its own number, how long it may be silent, and who it is by its address and certificate.</summary>
internal readonly record struct SessionClaim(long Token, int TimeoutMs, IReadOnlyList<AclId> Identities);

internal sealed partial class ZnodeTree
{
    public IReadOnlyDictionary<long, Session> Sessions => _sessions;

    /// <summary>Begins a session. One that is there is left as it is: the request came twice.</summary>
    /// <returns>False where the number is another session's.</returns>
    public bool OpenSession(long sessionId, byte[] password, SessionClaim claim, long zxid)
    {
        Begin(zxid);
        if (_sessions.TryGetValue(sessionId, out Session? there))
        {
            return there.Token == claim.Token;
        }
        Attach(_sessions[sessionId] = new Session(password), claim);
        return true;
    }

    /// <summary>Lets another connection take a session up.</summary>
    /// <returns>False where there is no such session, or the password is another.</returns>
    public bool AttachSession(long sessionId, ReadOnlySpan<byte> password, SessionClaim claim)
    {
        if (!_sessions.TryGetValue(sessionId, out Session? session) || !CryptographicOperations.FixedTimeEquals(password, session.Password))
        {
            return false;
        }
        if (session.Token != claim.Token)
        {
            Attach(session, claim);
        }
        return true;
    }

    private static void Attach(Session session, SessionClaim claim)
    {
        session.TimeoutMs = claim.TimeoutMs;
        session.Token = claim.Token;
        session.Epoch++;
        session.LastRequest = 0;
        session.Identities.Clear();
        session.Identities.AddRange(claim.Identities);
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

    /// <summary>Whether a node is one of these still: between the leader's look and its request a client may have written to it, or made it anew.</summary>
    public bool HasPassed(string path, long nowMs) => Find(path) is var id && _passing.Contains(id) && HasPassed(_nodes[id], nowMs);

    private static bool HasPassed(in Node node, long nowMs) => node.ChildCount == 0
        && (node.Owner == Node.Container ? node.Creations > 0 : nowMs - node.MtimeMs > (node.Owner & Node.MaxTtlMs));
}
