using Skep.Jute;

namespace Skep.Coordination.Client;

/// <summary>What an entry of an ACL allows.</summary>
[Flags]
public enum Permissions
{
    None = 0,
    Read = 1,
    Write = 2,
    Create = 4,
    Delete = 8,
    Admin = 16,
    All = 31,
}

/// <summary>The ACLs that most nodes have.</summary>
public static class Acls
{
    /// <summary>Anyone may do anything: what nodes get where no ACL is given.</summary>
    public static IReadOnlyList<Acl> Open { get; } = [Entry(Permissions.All, "world", "anyone")];

    /// <summary>Anyone may read.</summary>
    public static IReadOnlyList<Acl> ReadOnly { get; } = [Entry(Permissions.Read, "world", "anyone")];

    /// <summary>Only the identities of the session that makes the node may do anything.</summary>
    public static IReadOnlyList<Acl> CreatorAll { get; } = [Entry(Permissions.All, "auth", "")];

    /// <summary>One entry.</summary>
    public static Acl Entry(Permissions permissions, string scheme, string name) => new((int)permissions, new AclId(scheme, name));
}
