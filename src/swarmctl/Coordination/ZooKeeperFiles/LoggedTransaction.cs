using Skep.Jute;

namespace Swarmctl.Coordination.ZooKeeperFiles;

/// <summary>One transaction of a log; failed ones have no changes.</summary>
internal sealed record LoggedTransaction(long SessionId, long Zxid, long TimeMs, IReadOnlyList<LoggedChange> Changes);

/// <summary>What a transaction changes.</summary>
internal enum ChangeKind { OpenSession, CloseSession, Create, Delete, SetData, SetAcl }

/// <summary>
/// One change. <see cref="Number"/> is the session's timeout in ms, the parent's counter after a creation (-1 if not told), or the new
/// version of data or ACL.
/// </summary>
internal sealed record LoggedChange(ChangeKind Kind, string Path)
{
    public ReadOnlyMemory<byte>? Data { get; init; }

    public IReadOnlyList<Acl> Acl { get; init; } = [];

    public long Owner { get; init; }

    public int Number { get; init; }
}
