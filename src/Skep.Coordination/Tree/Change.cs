namespace Skep.Coordination.Tree;

/// <summary>What happened to a znode: the numbers of ZooKeeper's events.</summary>
internal enum ChangeKind
{
    Created = 1,
    Deleted = 2,
    DataChanged = 3,
}

/// <summary>One change of the tree, for those who watch it: with the ACLs of the node and of its parent, since only who may read is told.</summary>
internal readonly record struct Change(ChangeKind Kind, string Path, Jute.Acl[]? Acl = null, Jute.Acl[]? ParentAcl = null);

/// <summary>Who asks: the session, and the identities that it has proved (its address among them).</summary>
internal readonly record struct Caller(long SessionId, IReadOnlyList<Jute.AclId> Identities)
{
    /// <summary>The session of the service itself, which no client has.</summary>
    public const long OwnId = 0;

    /// <summary>The service itself: what has passed its time goes in its name.</summary>
    public static Caller Own { get; } = new(OwnId, [new Jute.AclId("super", "skep")]);
}
