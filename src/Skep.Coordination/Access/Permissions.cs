namespace Skep.Coordination.Access;

/// <summary>What an ACL entry allows: the bits of ZooKeeper's ZooDefs.Perms.</summary>
[Flags]
internal enum Permissions
{
    None = 0,
    Read = 1,
    Write = 2,
    Create = 4,
    Delete = 8,
    Admin = 16,
}
