namespace Skep.Identity.Keys;

/// <summary>
/// The key that locks a manager's own key and data keys: the cluster's unlock key. Without bytes nothing is locked.
/// </summary>
/// <param name="Key">32 bytes, or null while autolock is off.</param>
/// <param name="Version">Index of the cluster object it came with; a lower one never replaces a higher one.</param>
public sealed record KeyEncryptionKey(byte[]? Key, ulong Version)
{
    /// <summary>Nothing is locked.</summary>
    public static readonly KeyEncryptionKey None = new(null, 0);

    /// <summary>Whether something is locked with it.</summary>
    public bool Locks => Key is not null;

    /// <summary>Shows no key.</summary>
    public override string ToString() => $"{(Locks ? "locked" : "not locked")}, version {Version}";
}
